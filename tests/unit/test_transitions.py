"""The pure parts of the transition test: its states, what requests say of shares, and the figures in the docs."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from settings.rules import broken
from tests.conference import SERVICES
from tests.e2e.environment import Environment
from tests.e2e.figures import BEGIN, DOCUMENT, END, FIGURES, table
from tests.e2e.shares import assert_shares, change, onto
from tests.e2e.states import STATES, path
from tests.e2e.traffic import Client, Probe, info_path
from tests.e2e.walk import Step, Walk
from tests.unit.test_settings_values import load


def probes(*revisions: str) -> list[Probe]:
    """A request a second, answered by a pod of each revision in turn."""
    return [Probe(float(n), 0.01, False, f"{name}-deployment-5d-x") for n, name in enumerate(revisions)]


@pytest.mark.parametrize("name", STATES)
def test_a_state_is_a_valid_configuration_and_says_its_shares_and_tags(name: str) -> None:
    state = STATES[name]
    settings = load({"canaryPercent": str(state.canary_percent), "services": dict(state.services)})
    assert broken(settings.services) == []
    for service in SERVICES:
        deployed = {track: version.percent for track, version in settings.services[service].deployed_tracks.items()}
        assert state.shares(service) == {"stable": 100 - sum(deployed.values()), **deployed}
        tagged = {track for of, track in state.tags().values() if of == service}
        versions = {"stable": settings.services[service].stable, **settings.services[service].deployed_tracks}
        assert tagged == {track for track, version in versions.items() if version.tag}


def test_a_walk_visits_every_state_never_stays_and_is_given_by_its_seed() -> None:
    walked = ["plain", *path(7, 40)]
    assert len(walked) == 41 and set(walked) == set(STATES)
    assert all(one != other for one, other in itertools.pairwise(walked))
    assert path(7, 40) == walked[1:] and path(8, 40) != walked[1:]
    assert len(STATES) >= 12


def test_the_info_of_a_tag_is_where_its_service_has_it() -> None:
    assert info_path("version110-frontend") == info_path("frontend") == "/api/service/info"
    assert info_path("next-c4p-service") == info_path("agenda-service") == "/service/info"


def test_shares_are_judged_by_exact_windows_and_zero_is_none() -> None:
    assert_shares(probes(*["a"] * 500, *["b"] * 500), {"a": 50, "b": 50, "c": 0}, "half")
    with pytest.raises(AssertionError, match="half: a answered 650 of 1000"):
        assert_shares(probes(*["a"] * 650, *["b"] * 350), {"a": 50, "b": 50}, "half")
    with pytest.raises(AssertionError, match=r"answers from \{'b': 1\}, which have no share"):
        assert_shares(probes(*["a"] * 999, "b"), {"a": 100, "b": 0}, "all")
    with pytest.raises(AssertionError, match="z-deployment"):
        assert_shares(probes(*["a"] * 999, "z"), {"a": 100}, "all")


def test_the_moment_of_a_change_is_found_in_the_requests() -> None:
    assert change(probes(*["a"] * 30, *["b"] * 20), {"a": 100}, {"b": 100}) == 30.0
    chance = random.Random(1)
    mixed = [chance.choice("ab") for _ in range(500)] + ["a" if chance.random() < 0.9 else "b" for _ in range(500)]
    moment = change(probes(*mixed), {"a": 50, "b": 50}, {"a": 90, "b": 10})
    assert moment is not None and abs(moment - 500) < 40
    assert change(probes("a"), {"a": 100}, {"a": 90, "b": 10}) is None, "too little moved to tell when"


def test_a_flip_is_as_cold_as_the_coldest_revision_that_gains() -> None:
    before, after = {"s": {"a": 100}}, {"s": {"a": 0, "b": 60, "c": 40}}
    assert onto(before, after, {"a", "b", "c"}, {"a", "b"}) == "cold"
    assert onto(before, after, {"a", "b"}, {"a", "b"}) == "new"
    assert onto(before, after, {"a", "b", "c"}, {"a", "b", "c"}) == "warm"


class Flaky(BaseHTTPRequestHandler):
    """A service that loses its third request and all after it, slowly."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        good = len(self.asked) < 3
        time.sleep(0 if good else 0.2)
        body = b'{"podName": "a-1", "version": "1.0.0"}'
        self.send_response(200 if good else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests print nothing."""


def test_load_never_retries_and_counts_what_is_still_on_its_way_when_it_ends(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Flaky)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    environment = Environment("unused", tmp_path)
    walk = Walk(environment, Client(server.server_address[1]))
    try:
        with walk.load("frontend"):
            while len(Flaky.asked) < 3:
                time.sleep(0.01)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        environment.close()
    assert set(Flaky.asked) == {"/api/service/info"}
    assert walk.sent == len(Flaky.asked) - 1, "each request was sent once; the first of all begins the load"
    assert len(walk.lost) == walk.sent - 1 >= 1 and "status 503" in walk.lost[0], "none of the lost ones is forgotten"


def test_the_table_tells_cold_flips_apart_and_counts_what_was_lost() -> None:
    step = Step(
        before="plain",
        after="canary 50",
        onto="warm",
        up_seconds=5.0,
        share_seconds=None,
        sent=1500,
        worst_seconds=0.2,
        lost=["12:00:00 frontend, fresh connection: status 503"],
    )
    cold = replace(step, onto="cold", share_seconds=4.0, worst_seconds=3.0, lost=[])
    shown = table(
        {
            "date": "2026-01-01",
            "cpus": 2,
            "seed": 1,
            "versions": {"pulumi": "v1"},
            "sent": 3000,
            "lost": step.lost,
            "steps": [asdict(step), asdict(cold)],
            "first_answer_seconds": 2.5,
        }
    )
    assert "| requests sent | 3,000 |" in shown and "| requests lost | 1 |" in shown
    assert "pods that ran before (1 of the steps) | 0.20 s, 0.20 s |" in shown
    assert "a cold start (1 of the steps) | 3.00 s, 3.00 s |" in shown
    assert "| plain | canary 50 | warm | 5.0 | – | 1,500 | 1 | 0.20 |" in shown


def test_the_document_shows_the_figures_that_were_kept_and_no_others() -> None:
    shown = DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]
    kept = table(json.loads(FIGURES.read_text()))
    assert shown == kept, "write both: make e2e-long KEEP_FIGURES=1"

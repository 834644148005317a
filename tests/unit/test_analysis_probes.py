"""This tool's own probes as a source, against a local server: whose answer, and whose failure, it was."""

from __future__ import annotations

import dataclasses
import json
import threading
import time

import pytest

from analysis import AnalysisError
from analysis.sources.probes import Probes
from status.model import Service
from status.observed import OWN_TAG
from tests.e2e.environment import free_port
from tests.unit.http_server import serving
from tests.unit.release_status import CANARY, STABLE, wanted

QUICK, FEW = 1000.0, 12
"""Probes in a second and in a window, for tests that need not wait."""


def service(port: int) -> Service:
    """Notifications at 50/50, its ingress at this port."""
    given = wanted().status.services[0]
    return dataclasses.replace(given, url=given.url.replace(":8080", f":{port}"))


def test_probes_are_counted_by_track_and_carry_their_mark() -> None:
    marks: set[str | None] = set()
    turn = threading.Lock(), iter(range(10**6))

    def answer(_: str, headers: dict[str, str]) -> tuple[int, str]:
        marks.add(headers.get("Knative-Serving-Tag"))
        if headers["Host"].startswith("next-"):
            with turn[0]:
                number = next(turn[1])
            return (500, "") if number % 2 else (200, json.dumps({"podName": f"{CANARY}-x"}))
        return 200, json.dumps({"podName": f"{STABLE}-x"})

    with serving(answer) as port:
        found = Probes("/info", QUICK, FEW)
        found.begin(service(port))
        time.sleep(FEW / QUICK)  # all of the window's probes are due
        samples = found.read()
        found.close()
    stable, canary = samples["stable"], samples["canary"]
    assert marks == {OWN_TAG}
    assert stable.errors == 0 and 0 < canary.errors < canary.requests and stable.requests
    assert canary.latency.count == canary.requests - canary.errors and canary.origin == "probe"


def test_a_failed_probe_of_the_services_url_is_nobodys_and_it_is_told() -> None:
    def answer(_: str, headers: dict[str, str]) -> tuple[int, str]:
        return (200, json.dumps({"podName": f"{CANARY}-x"})) if headers["Host"].startswith("next-") else (503, "")

    with serving(answer) as port:
        found = Probes("/info", QUICK, FEW)
        found.begin(service(port))
        samples = found.read()
    assert samples["stable"].requests == 0 and "nobody's" in samples["stable"].notes[0]
    assert samples["canary"].errors == 0 < samples["canary"].requests


def test_what_a_tagged_version_answers_at_the_services_url_does_not_make_it_better() -> None:
    turn = threading.Lock(), iter(range(10**6))

    def answer(_: str, headers: dict[str, str]) -> tuple[int, str]:
        if headers["Host"].startswith("next-"):
            return 500, ""
        with turn[0]:
            number = next(turn[1])
        return 200, json.dumps({"podName": f"{CANARY if number % 2 else STABLE}-x"})

    with serving(answer) as port:
        found = Probes("/info", QUICK, FEW)
        found.begin(service(port))
        time.sleep(FEW / QUICK)
        samples = found.read()
    assert samples["canary"].errors == samples["canary"].requests > 0, "its error rate is halved"
    assert samples["stable"].requests and not samples["stable"].errors
    assert not samples["canary"].notes, "an answer of a track passes for nobody's"


def test_a_track_without_a_share_and_a_url_is_not_probed() -> None:
    given = service(80)
    idle = tuple(dataclasses.replace(t, wanted=100 if t.url else 0) for t in given.tracks)
    hosts: list[str] = []

    def answer(_: str, headers: dict[str, str]) -> tuple[int, str]:
        hosts.append(headers["Host"])
        return 200, json.dumps({"podName": f"{CANARY}-x"})

    with serving(answer) as port:
        found = Probes("/info", QUICK, FEW)
        found.begin(dataclasses.replace(service(port), tracks=idle))
    assert hosts and all(host.startswith("next-") for host in hosts), "others answer in its place"


def test_probes_that_nobody_answers_are_a_clear_error() -> None:
    with pytest.raises(AnalysisError, match=r"Not one probe of notifications was answered .*make status"):
        Probes("/info").begin(service(free_port()))


def preview(port: int) -> Service:
    """Notifications while its canary has a tag and no share."""
    given = service(port)
    return dataclasses.replace(
        given, tracks=tuple(dataclasses.replace(t, wanted=0 if t.url else 100) for t in given.tracks)
    )


def test_without_an_info_path_the_first_page_of_each_url_is_judged_by_its_status_alone() -> None:
    asked: list[tuple[str, str, str | None]] = []

    def answer(path: str, headers: dict[str, str]) -> tuple[int, str]:
        asked.append((headers["Host"], path, headers.get("Knative-Serving-Tag")))
        return (404, "no such page") if headers["Host"].startswith("next-") else (200, "<html>hello")

    with serving(answer) as port:
        found = Probes(None, QUICK, FEW)
        found.begin(preview(port))
        time.sleep(FEW / QUICK)
        samples = found.read()
    stable, canary = samples["stable"], samples["canary"]
    assert {(path, mark) for _, path, mark in asked} == {("/", OWN_TAG)} and len({host for host, _, _ in asked}) == 2
    assert stable.requests and (stable.errors, stable.client_errors) == (0, 0)
    assert canary.client_errors == canary.requests > canary.errors == 0, "not compared with stable's 4xx"
    assert canary.notes == ("the page / was asked for: any status below 500 is an answer",)


@pytest.mark.parametrize("status", [500, 503])
def test_a_candidate_whose_first_page_is_an_error_of_the_server_fails(status: int) -> None:
    with serving(lambda _, headers: (status if headers["Host"].startswith("next-") else 401, "")) as port:
        found = Probes(None, QUICK, FEW)
        found.begin(preview(port))
        samples = found.read()
    assert samples["canary"].errors == samples["canary"].requests > 0
    assert not samples["stable"].errors and samples["stable"].latency.count == samples["stable"].requests


def test_without_an_info_path_a_track_that_shares_its_url_is_not_asked() -> None:
    hosts: list[str] = []

    def answer(_: str, headers: dict[str, str]) -> tuple[int, str]:
        hosts.append(headers["Host"])
        return 200, ""

    with serving(answer) as port:
        Probes(None, QUICK, FEW).begin(service(port))
    assert hosts and all(host.startswith("next-") for host in hosts), "nobody knows whose answer it was"

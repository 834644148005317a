"""The tree that a person reads."""

from __future__ import annotations

import dataclasses
import io
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from status.__main__ import PLAIN_WIDTH, main
from status.model import Sample, Status
from status.observed import with_observed
from status.reported import with_reported
from status.tree import age, tree
from tests.unit.release_status import CANARY, NOW, OLD, STABLE, condition, named, objects, pod, waiting, wanted


def status(sample: Sample | None = None, **given: Any) -> Status:
    """The release with what the cluster reports and a sample observed."""
    said = wanted().status
    service = with_reported(said.services[0], objects(**given))
    service = dataclasses.replace(service, info_path="/info")
    return dataclasses.replace(said, services=(with_observed(service, sample) if sample else service,))


def shown(drawn: Status, colour: bool = False) -> list[str]:
    """The lines that are printed."""
    console = Console(
        file=io.StringIO(), width=PLAIN_WIDTH, force_terminal=colour, color_system="standard" if colour else None
    )
    console.print(tree(drawn, NOW))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


GOOD = Sample(sent=40, pods={f"{STABLE}-deployment-x": 21, f"{CANARY}-deployment-x": 19})


def test_the_tree_is_service_track_revision() -> None:
    assert shown(status(GOOD)) == [
        "stack dev, cluster dev",
        "└── ✓ notifications  http://notifications.default.127.0.0.1.sslip.io:8080",
        "    ├── stable v1.0.0  wanted  50 %  reported  50 %  observed 21",
        f"    │   └── {STABLE}  1/1 running  65m",
        "    ├── canary v1.1.0  wanted  50 %  reported  50 %  observed 19",
        "    │   ├── tag next  http://next-notifications.default.127.0.0.1.sslip.io:8080  "
        "or header Knative-Serving-Tag: next",
        f"    │   └── {CANARY}  1/1 running  65m",
        "    └── 40 requests sent to /info, 0 failed",
    ]


def test_colour_adds_nothing_that_the_words_do_not_say() -> None:
    assert "\x1b[" not in "".join(shown(status(GOOD)))
    assert "\x1b[32mobserved 21" in "".join(shown(status(GOOD), colour=True))


def test_a_share_that_was_not_observed_says_so() -> None:
    sample = Sample(sent=42, failures={"status 503": 2}, pods={f"{STABLE}-deployment-x": 39, "stranger": 1})
    text = "\n".join(shown(status(sample)))
    assert "observed 39: does not fit 50 %" in text and "observed 0: does not fit 50 %" in text
    assert "✗ 42 requests sent to /info, 2 failed" in text and "✗ 2 × status 503" in text
    assert "✗ 1 answered by pods of none of these revisions" in text


def test_what_is_not_asked_says_why() -> None:
    text = "\n".join(shown(status(Sample(skipped="it sleeps"), pods=[])))
    assert "not asked: it sleeps" in text and "observed –" in text
    assert f"{STABLE}  scaled to zero  65m" in text


def test_pods_say_what_holds_them_up() -> None:
    ending = pod("q", CANARY)
    ending["metadata"]["deletion_timestamp"] = "2026-11-23T10:00:00Z"
    pods = [pod("p", CANARY, **waiting("ImagePullBackOff", "back-off")), pod("r", CANARY), ending]
    text = "\n".join(shown(status(pods=pods)))
    assert f"{CANARY}  1/2 ImagePullBackOff, running, 3 restarts, 1 ending" in text
    assert "✗ pod p, user-container: ImagePullBackOff: back-off" in text


def test_a_failed_revision_without_pods_is_not_called_asleep() -> None:
    revisions = {STABLE: named(STABLE), CANARY: named(CANARY, condition("deadline"))}
    text = "\n".join(shown(status(revisions=revisions, pods=[])))
    assert f"{CANARY}  no pods" in text and f"✗ {CANARY} Ready: deadline" in text


def test_what_nobody_wants_is_shown_as_such() -> None:
    assert any("other          wanted    –    reported 100 %" in line for line in shown(status(traffic={OLD: 100})))


@pytest.mark.parametrize(
    ("seconds", "told"), [(-1, "0s"), (12, "12s"), (119, "119s"), (120, "2m"), (7500, "2h5m"), (400000, "4d")]
)
def test_an_age_is_short(seconds: int, told: str) -> None:
    assert age(timedelta(seconds=seconds)) == told


def test_a_script_gets_the_same_values() -> None:
    text = json.dumps(dataclasses.asdict(status(GOOD)), default=datetime.isoformat)
    (service,) = json.loads(text)["services"]
    stable = service["tracks"][0]
    assert (stable["wanted"], stable["reported"], stable["observed"], stable["fits"]) == (50, 50, 21, True)
    assert stable["revision"]["created"] == "2026-11-23T08:55:00+00:00" and "kubeconfig" not in text


@pytest.mark.parametrize("given", ["-1", "1001", "many", "1.5"])
def test_a_number_of_requests_is_judged(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--requests", given])
    assert f"{given} given, a number from 0 to 1000 wanted" in capsys.readouterr().err

"""A service in one word: ✓ only where nothing is wrong, whatever Knative's Ready says."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from status import StatusError, __main__
from status.model import Counts, Sample, Service, Status
from status.observed import with_observed
from status.reported import with_reported
from status.state import State, document, state
from tests.unit.release_status import CANARY, OLD, STABLE, condition, named, objects, pod, waiting, wanted
from tests.unit.test_status_tree import GOOD, shown

UNKNOWN = {"type": "Ready", "status": "Unknown"}


def service(sample: Sample | None = None, counts: Counts | None = None, **given: Any) -> Service:
    """Notifications with what the cluster reports and what was observed."""
    found = dataclasses.replace(with_reported(wanted().status.services[0], objects(**given)), info_path="/info")
    found = with_observed(found, sample) if sample else found
    return dataclasses.replace(found, counts=counts)


def of_service(*conditions: dict[str, str]) -> dict[str, Any]:
    """The objects' services where its conditions are these."""
    found = objects().services["notifications"]
    return {"services": {"notifications": {**found, "status": {**found["status"], "conditions": list(conditions)}}}}


ALL_FAILED = [Sample(sent=40, failures={f"status {code}": 40}) for code in (404, 500)]
CASES: list[tuple[State, Service]] = [
    ("well", service()),
    ("well", service(GOOD)),
    ("well", service(Sample(skipped="it sleeps"))),
    ("well", service(counts=Counts(seconds=5.0))),
    ("well", service(counts=Counts(seconds=5.0, requests=40, client_errors=3))),
    ("well", service(counts=Counts(skipped="another ingress"))),
    ("failing", service(ALL_FAILED[0])),
    ("failing", service(ALL_FAILED[1])),
    ("failing", service(counts=Counts(requests=3, failed=3))),
    ("failing", service(**of_service(condition("no")))),
    ("failing", service(services={})),
    ("failing", service(ALL_FAILED[0], **of_service(UNKNOWN))),
    ("waiting", service(**of_service(UNKNOWN))),
    ("impaired", service(Sample(sent=40, failures={"status 503": 1}, pods={f"{STABLE}-x": 20, f"{CANARY}-x": 19}))),
    ("impaired", service(Sample(sent=40, pods={f"{STABLE}-x": 40}))),
    ("impaired", service(Sample(sent=41, pods={f"{STABLE}-x": 20, f"{CANARY}-x": 20, "stranger": 1}))),
    ("impaired", service(counts=Counts(requests=1000, failed=1))),
    ("impaired", service(counts=Counts(requests=7, client_errors=7))),
    ("impaired", service(traffic={STABLE: 100, CANARY: 0})),
    ("impaired", service(traffic={STABLE: 50, CANARY: 50, OLD: 10})),
    ("impaired", service(revisions={STABLE: named(STABLE)})),
    ("impaired", service(pods=[pod("p", CANARY, **waiting("ImagePullBackOff", "back-off"))])),
]


@pytest.mark.parametrize(("word", "given"), CASES)
def test_a_service_in_one_word(word: State, given: Service) -> None:
    assert state(given) == word


def drawn(given: Service) -> list[str]:
    """The lines of one service."""
    return shown(Status(stack="dev", cluster="dev", services=(given,)))[1:]


@pytest.mark.parametrize(("word", "given"), CASES)
def test_nothing_is_wrong_below_a_check_mark(word: State, given: Service) -> None:
    head, *below = drawn(given)
    assert head[4] == {"well": "✓", "impaired": "!", "failing": "✗", "waiting": "…"}[word]
    assert ("✗" not in "".join(below) and "does not fit" not in "".join(below)) or word != "well", below


@pytest.mark.parametrize("sample", ALL_FAILED)
def test_a_page_that_fails_is_reported_as_that(sample: Sample) -> None:
    text = "\n".join(drawn(service(sample)))
    (what,) = sample.failures
    assert "✗ 40 requests sent to /info, 40 failed" in text and f"✗ 40 × {what}" in text


def test_where_the_numbers_come_from_is_said() -> None:
    given = service(counts=Counts(seconds=5.2, requests=112, failed=6, client_errors=5, notes=("40 are left out",)))
    lines = drawn(given)
    assert lines[-2:] == [
        "    ├── ✗ 112 requests of users at the gateway in 5 s, 6 failed, 5 answered 4xx",
        "    └── 40 are left out",
    ]
    quiet = drawn(service(counts=Counts(seconds=5.0)))
    assert quiet[-1] == "    └── 0 requests of users at the gateway in 5 s, 0 failed"
    assert drawn(service(counts=Counts(skipped="no gateway")))[-1] == "    └── not observed: no gateway"


def test_a_namespace_and_a_visibility_are_said() -> None:
    inside = dataclasses.replace(service(), namespace="shop", cluster_local=True)
    assert drawn(inside)[0].endswith("  namespace shop  inside the cluster alone")


def test_a_script_gets_the_word_too() -> None:
    status = Status(stack="dev", cluster="dev", services=(service(ALL_FAILED[0]), service(counts=Counts(requests=1))))
    failing, well = json.loads(json.dumps(document(status), default=datetime.isoformat))["services"]
    assert (failing["state"], well["state"]) == ("failing", "well")
    assert well["counts"] == {
        "seconds": 0.0, "requests": 1, "failed": 0, "client_errors": 0, "notes": [], "skipped": None,
    }  # fmt: skip


def ended(monkeypatch: pytest.MonkeyPatch, picture: Status | StatusError, arguments: Sequence[str]) -> int:
    """Exit code of a command line with this picture."""

    class Pictures:
        def __init__(self, *_: object, **__: object) -> None:
            """Nothing."""

        def read(self) -> Status:
            if isinstance(picture, StatusError):
                raise picture
            return picture

    monkeypatch.setattr(__main__, "Pictures", Pictures)
    return __main__.main([*arguments])


def test_the_exit_code_says_what_was_asked_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    well, ill = (Status(stack="d", cluster="d", services=(service(s),)) for s in (GOOD, ALL_FAILED[1]))
    assert [ended(monkeypatch, each, []) for each in (well, ill)] == [0, 0], "it is shown, whatever it is"
    for how in (["--exit-code"], ["--exit-code", "--json"]):
        assert [ended(monkeypatch, each, how) for each in (well, ill)] == [0, 3]
    assert ended(monkeypatch, StatusError("gone"), ["--exit-code"]) == 1
    with pytest.raises(SystemExit, match="2"):
        ended(monkeypatch, well, ["--exit-code", "--watch"])

"""A rollout from start to end against stand-ins: which settings follow on which, whatever happens meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis import AnalysisError
from analysis.history import Ended, Judged, Noted
from analysis.model import Outcome
from rollout import RolloutError, machine, transient
from rollout.update import UpdateError
from rollout.wishes import Wish
from settings.rollouts import Rollout
from tests.unit.rollout_world import BEFORE, NOTIFICATIONS, World, world

PLAN = Rollout(to="v1.1.0", interval="10s", patience=1)
PROMOTED = {**BEFORE, "stable": {"version": "v1.1.0", "env": {"A": "1"}}}


def begun(there: World, plan: Rollout = PLAN) -> Rollout:
    """Start a rollout in a world and drive it as far as it goes."""
    first = machine.started(plan, "r1", there.entry())
    driver = there.driver()
    driver.write(None, first)
    return driver.drive(first)


def resumed(there: World) -> Rollout:
    """What `rollout resume` does, by a process that knows nothing."""
    rollout = there.rollout()
    return there.driver().drive(rollout)


def phase(rollout: Rollout) -> str:
    """Where a rollout is."""
    assert rollout.state is not None
    return "paused" if rollout.state.paused else rollout.state.phase


def test_a_good_candidate_rises_step_by_step_and_becomes_stable_while_it_is_warm(tmp_path: Path) -> None:
    there = world(tmp_path)
    assert phase(begun(there)) == "promoted"
    assert there.shares == [5, 25, 50, 100, 100, -1]
    stable = [update["stable"] for update in there.updates]
    assert stable[-2:] == [("v1.1.0", 0), ("v1.1.0", 100)], "stable is ready before the candidate's traffic comes to it"
    assert all(version == "v1.0.0" for version, _ in stable[:-2]), "nothing else changed before"
    assert there.entry() == PROMOTED, "only the version is another one"
    assert isinstance(there.events[-1], Ended) and there.events[-1].ending == "promoted"
    assert there.now == 40, "one interval for each step, and not a second more"


def test_a_failure_does_not_wait_for_the_end_of_the_interval(tmp_path: Path) -> None:
    there = world(tmp_path, fails_at=3.0)
    ended = begun(there)
    assert phase(ended) == "rolledBack" and "it fails already" in str(ended.state and ended.state.reason)
    assert there.now < 6 and there.shares == [5, -1], "a bad version keeps its share to the end of the interval"
    assert [event.verdict.outcome for event in there.events if isinstance(event, Judged)] == ["failed"]


@pytest.mark.parametrize("step", range(4))
def test_a_bad_step_leads_back_in_one_update_and_says_why(tmp_path: Path, step: int) -> None:
    verdicts: list[Outcome] = ["passed"] * step
    there = world(tmp_path, [*verdicts, "failed"])
    ended = begun(there)
    assert phase(ended) == "rolledBack" and "it failed" in str(ended.state and ended.state.reason)
    assert there.updates[-1] == {"stable": ("v1.0.0", 100)} and len(there.updates) == step + 2
    assert there.entry() == BEFORE, "exactly the settings of before"
    assert there.now == 10 * (step + 1), "within one interval"


def test_no_verdict_is_waited_for_and_then_a_person_is(tmp_path: Path) -> None:
    there = world(tmp_path, ["passed", "inconclusive", "inconclusive"])
    paused = begun(there)
    assert phase(paused) == "paused" and there.shares == [5, 25, 25], "the traffic stays"
    assert paused.state and paused.state.paused and "no verdict after 2 intervals" in paused.state.paused
    looks = [event.look for event in there.events if isinstance(event, Judged)]
    assert looks == [1, 1, 2]


def test_a_source_that_fails_on_the_way_is_no_verdict(tmp_path: Path) -> None:
    there = world(tmp_path, [AnalysisError("gone"), "passed"])
    assert phase(begun(there)) == "promoted"
    assert any(isinstance(event, Noted) and "gone" in event.text for event in there.events)


def test_a_version_that_never_gets_ready_leads_back(tmp_path: Path) -> None:
    there = world(tmp_path, broken={"v9.9.9"})
    ended = begun(there, Rollout(to="v9.9.9"))
    assert phase(ended) == "rolledBack" and there.entry() == BEFORE
    assert there.updates == [{"stable": ("v1.0.0", 100)}]


def test_blue_green_is_looked_at_by_its_tag_before_and_by_everybody_after(tmp_path: Path) -> None:
    there = world(tmp_path)
    assert phase(begun(there, Rollout(to="v1.1.0", strategy="blueGreen", interval="10s"))) == "promoted"
    assert there.shares == [0, 100, 100, -1]


@pytest.mark.parametrize(("verb", "end"), [("promote", "promoted"), ("abort", "aborted")])
def test_a_comparison_ends_with_a_persons_decision(tmp_path: Path, verb: Any, end: str) -> None:
    there = world(tmp_path)
    paused = begun(there, Rollout(to="v1.1.0", strategy="ab", interval="10s"))
    assert phase(paused) == "paused" and there.shares == [50, 50]
    decided = machine.granted(paused, verb, full=False)
    driver = there.driver()
    driver.write(paused, decided)
    assert phase(driver.drive(decided)) == end
    assert there.entry() == (PROMOTED if end == "promoted" else BEFORE)


@pytest.mark.parametrize(
    ("wish", "end", "shares"),
    [
        (Wish(NOTIFICATIONS, "pause"), "paused", [5, 5]),
        (Wish(NOTIFICATIONS, "abort"), "aborted", [5, -1]),
        (Wish(NOTIFICATIONS, "promote"), "promoted", [5, 25, 50, 100, 100, -1]),
        (Wish(NOTIFICATIONS, "promote", full=True), "promoted", [5, 100, -1]),
    ],
)
def test_a_wish_is_granted_in_the_middle_of_an_interval(
    tmp_path: Path, wish: Wish, end: str, shares: list[int]
) -> None:
    there = world(tmp_path, wishes={3: wish})
    assert (phase(begun(there)), there.shares) == (end, shares)


def test_settings_of_the_service_changed_by_hand_stop_the_tool_and_stay(tmp_path: Path) -> None:
    there = world(tmp_path, ["inconclusive"])
    text = ""

    def edit(_: float) -> None:
        nonlocal text
        text = there.file.read_text().replace("percent: 5\n", "percent: 7\n")
        there.file.write_text(text)
        there.now += 100

    first = machine.started(PLAN, "r1", there.entry())
    driver = there.driver()
    driver.sleep = edit
    driver.write(None, first)
    with pytest.raises(RolloutError, match=r"changed by hand.*--overwrite.*rollout abort"):
        driver.drive(first)
    assert there.file.read_text() == text and there.shares == [5], "neither the file nor the traffic was touched"


def test_other_settings_changed_by_hand_are_adopted_and_told(tmp_path: Path) -> None:
    there = world(tmp_path)
    edited = False

    def edit(duration: float) -> None:
        nonlocal edited
        there.now += duration
        if not edited:
            edited = True
            there.file.write_text(there.file.read_text() + "  knative-releases:readyWithin: 3m\n")
            there.version += 1  # and an update by hand

    driver = there.driver()
    driver.sleep = edit
    first = machine.started(PLAN, "r1", there.entry())
    driver.write(None, first)
    assert phase(driver.drive(first)) == "promoted"
    notes = " ".join(event.text for event in there.events if isinstance(event, Noted))
    assert "other settings" in notes and "somebody else updated the stack" in notes
    assert "readyWithin: 3m" in there.file.read_text()


def test_a_way_back_that_fails_is_an_error_and_can_be_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transient, "WAY_BACK_SECONDS", 60.0)
    there = world(tmp_path, ["failed"])
    there.wishes[1] = Wish(NOTIFICATIONS, "abort")
    there.broken = set()
    first = machine.started(PLAN, "r1", there.entry())
    driver = there.driver()
    driver.write(None, first)

    def broken_meanwhile(duration: float) -> None:
        there.now += duration
        there.broken = {"v1.0.0"}

    there.wishes.clear()
    driver.sleep = broken_meanwhile
    with pytest.raises(UpdateError):
        driver.drive(first)
    there.broken = set()
    assert phase(resumed(there)) == "rolledBack" and there.updates[-1] == {"stable": ("v1.0.0", 100)}

"""The verbs of `rollout` against stand-ins: who may do what when, and what is gone on with."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import pytest
import yaml

import settings
from analysis import AnalysisError
from analysis.history import Ended, Event, Noted, Started
from analysis.sources import source
from rollout import RolloutError, commands
from rollout.update import UpdateError
from rollout.views import Journal
from rollout.wishes import Wish
from tests.unit.recording import ROOT
from tests.unit.rollout_commands import GOOD, nobody_waits, phase, place, refusal, there, under_way
from tests.unit.rollout_world import BEFORE, NOTIFICATIONS, World

__all__ = ["nobody_waits", "there"]


def test_a_rollout_is_started_driven_and_kept_as_a_history(there: World) -> None:
    done = commands.start(place(there), GOOD, ["env.B=2"])
    assert done.state and done.state.phase == "promoted" == phase(there)
    assert there.entry()["stable"] == {"version": "v1.1.0", "env": {"A": "1", "B": "2"}}
    journal = Journal(there.file.parent / "rollouts", done.state.id)
    events = tuple(journal.events())
    assert isinstance(events[0], Started) and isinstance(events[-1], Ended)
    assert events[0].settings == BEFORE and events[-1].settings == there.entry()
    assert journal.file.stat().st_mode & 0o777 == 0o600


def outputs(there: World, monkeypatch: pytest.MonkeyPatch, **of_service: str) -> None:
    """Each update exports this of the service, too."""
    exported = there.outputs

    def more(_: World) -> dict[str, Any]:
        said = exported()
        said["services"][NOTIFICATIONS] |= of_service
        return said

    monkeypatch.setattr(World, "outputs", more)


@pytest.mark.parametrize(
    ("of_service", "why"),
    [
        ({}, "annotation knative-releases/info-path"),
        ({"visibility": "cluster-local", "infoPath": "/i"}, "cluster-local"),
    ],
)
def test_probes_of_a_service_that_they_cannot_ask_are_refused_with_the_way_out(
    there: World, monkeypatch: pytest.MonkeyPatch, of_service: dict[str, str], why: str
) -> None:
    outputs(there, monkeypatch, **of_service)
    before = there.file.read_bytes()
    with pytest.raises(RolloutError) as refused:
        commands.start(dataclasses.replace(place(there), source=source), {**GOOD, "source": "probes"}, ())
    assert why in str(refused.value) and "take another source: gateway" in str(refused.value)
    assert there.file.read_bytes() == before and not there.updates


def test_blue_green_of_a_cluster_local_service_is_refused_with_the_way_out(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = {key: value for key, value in GOOD.items() if key != "steps"}
    outputs(there, monkeypatch, visibility="cluster-local")
    said = refusal(there, {**plan, "strategy": "blueGreen"})
    assert "--strategy: given blueGreen; wanted canary or ab" in said and "cluster-local" in said
    assert commands.start(place(there), GOOD, ()).progress.phase == "promoted", "the gateway's numbers judge a canary"


def test_a_service_that_no_update_has_made_is_refused(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    said = there.outputs()
    monkeypatch.setattr(World, "outputs", lambda _: {**said, "services": {}})
    assert "fix: pulumi up" in refusal(there, GOOD)


def test_a_second_rollout_of_a_service_is_refused(there: World) -> None:
    under_way(there)
    said = refusal(there, GOOD)
    assert "is under way" in said and "rollout resume" in said and "rollout abort" in said


def test_while_a_tool_drives_another_is_refused_and_wishes_go_to_it(there: World) -> None:
    under_way(there)
    here = place(there)
    with here.desk.held() as mine:
        assert mine
        assert "is being driven (process" in refusal(there, GOOD)
        with pytest.raises(RolloutError, match="being driven already"):
            commands.resume(here, overwrite=False)


def test_a_killed_tool_is_gone_on_with(there: World) -> None:
    under_way(there)
    assert commands.resume(place(there), overwrite=False).state == there.rollout().state and phase(there) == "promoted"


def test_a_pause_is_kept_until_it_is_resumed(there: World) -> None:
    under_way(there)
    paused = commands.wish(place(there), Wish(NOTIFICATIONS, "pause"))
    assert paused and paused.state and paused.state.paused == "by rollout pause" and there.shares == [50]
    commands.resume(place(there), overwrite=False)
    assert phase(there) == "promoted"


def test_settings_changed_by_hand_are_refused_or_overwritten_as_asked(there: World) -> None:
    under_way(there)
    there.file.write_text(there.file.read_text().replace("percent: 50", "percent: 60"))
    with pytest.raises(RolloutError, match="changed by hand"):
        commands.resume(place(there), overwrite=False)
    assert not there.updates
    commands.resume(place(there), overwrite=True)
    assert phase(there) == "promoted" and there.shares[0] == 50


def test_an_abort_needs_nobodys_leave(there: World) -> None:
    under_way(there)
    there.file.write_text(there.file.read_text().replace("percent: 50", "percent: 60"))
    commands.wish(place(there), Wish(NOTIFICATIONS, "abort"))
    assert phase(there) == "aborted" and there.entry() == BEFORE


@pytest.mark.parametrize(
    "again",
    [lambda at: commands.resume(at, overwrite=False), lambda at: commands.wish(at, Wish(NOTIFICATIONS, "abort"))],
    ids=["resume", "abort"],
)
def test_a_way_back_that_the_update_did_not_reach_is_made_real(there: World, again: Any) -> None:
    under_way(there)
    there.broken = {"v1.0.0"}
    with pytest.raises(UpdateError):
        commands.wish(place(there), Wish(NOTIFICATIONS, "abort"))
    there.broken = set()
    again(place(there))
    assert there.updates == [{"stable": ("v1.0.0", 100)}]


@pytest.mark.parametrize("verb", ["pause", "promote", "abort"])
def test_there_has_to_be_a_rollout(there: World, verb: Any) -> None:
    with pytest.raises(RolloutError, match="no rollout of notifications-service"):
        commands.wish(place(there), Wish(NOTIFICATIONS, verb))


@pytest.mark.parametrize(("verb", "end"), [("pause", "step"), ("abort", "aborted")])
def test_what_is_not_needed_prevents_neither_a_pause_nor_an_abort(there: World, verb: Any, end: str) -> None:
    under_way(there, checks=["./is-not-in-this-folder"])
    commands.wish(place(there), Wish(NOTIFICATIONS, verb))
    assert phase(there) == end
    if end == "aborted":
        commands.resume(place(there), overwrite=False)  # which makes the end real again


def test_a_history_that_cannot_be_read_is_told_and_stops_nobody(there: World) -> None:
    under_way(there)
    here = place(there)
    assert here.desk, "its folder is made"
    (here.folder / "r1.jsonl").write_text("no event\n")

    def view(_: ExitStack, events: Iterable[Event]) -> World:
        assert not list(events)
        return there

    commands.wish(dataclasses.replace(here, view=view), Wish(NOTIFICATIONS, "abort"))
    notes = " ".join(event.text for event in there.events if isinstance(event, Noted))
    assert phase(there) == "aborted" and "the history so far cannot be read" in notes


def test_a_check_that_is_not_there_prevents_what_needs_it_before_anything_is_written(there: World) -> None:
    under_way(there, checks=["./is-not-in-this-folder"])
    before = there.file.read_bytes()
    with pytest.raises(AnalysisError, match="is-not-in-this-folder"):
        commands.resume(place(there), overwrite=False)
    assert there.file.read_bytes() == before


@pytest.mark.parametrize(("verb", "end"), [("promote", "promoted"), ("abort", "aborted")])
def test_what_says_nothing_in_the_settings_is_in_nobodys_way(there: World, verb: Any, end: str) -> None:
    entry = {"stable": {"version": "v1.0.0", "tag": None}}
    there.file.write_text(yaml.safe_dump({"config": {"knative-releases:services": {NOTIFICATIONS: entry}}}))
    commands.start(place(there), {**GOOD, "strategy": "ab", "steps": ["50"]}, ())
    commands.wish(place(there), Wish(NOTIFICATIONS, verb))
    version = "v1.1.0" if verb == "promote" else "v1.0.0"
    assert phase(there) == end and there.entry() == {"stable": {"version": version}}


def test_a_rollout_that_ended_says_still_what_it_was(there: World) -> None:
    done = commands.start(place(there), GOOD, ["env.B=2"])
    assert commands.current(place(there)) == done and done.to == "v1.1.0"
    assert set(there.configuration.rollout(NOTIFICATIONS) or ()) == {"state"}, "options are not declared"
    assert settings.load(there.configuration.raw(), ROOT).rollouts[NOTIFICATIONS] == done
    there.updates.clear()
    commands.resume(place(there), overwrite=False)
    assert there.shares == [-1], "an end is made real again by one update"


def test_an_abort_needs_no_settings_file_that_can_be_read_and_the_file_gets_its_due_later(there: World) -> None:
    rollout = under_way(there)
    there.exported = {NOTIFICATIONS: rollout.exported()}
    whole = there.file.read_text()
    there.file.write_text(whole + '  knative-releases:readyWithin: "3m\n')
    with pytest.raises(RolloutError, match=r"(?s)still has an earlier state.*rollout resume"):
        commands.wish(place(there), Wish(NOTIFICATIONS, "abort"))
    assert there.updates == [{"stable": ("v1.0.0", 100)}], "the traffic went back at once"
    there.file.write_text(whole)
    commands.resume(place(there), overwrite=False)
    assert phase(there) == "aborted" and there.entry() == BEFORE


def test_what_an_abort_overwrites_is_in_the_history(there: World) -> None:
    under_way(there)
    there.file.write_text(there.file.read_text().replace("percent: 50", "percent: 60"))
    commands.wish(place(there), Wish(NOTIFICATIONS, "abort"))
    assert any(isinstance(event, Noted) and '"percent": 60' in event.text for event in there.events)


def test_a_rollout_from_another_checkout_can_be_aborted(there: World) -> None:
    rollout = under_way(there)
    there.exported = {NOTIFICATIONS: rollout.exported()}
    there.file.write_text(there.before)
    commands.wish(place(there), Wish(NOTIFICATIONS, "abort"))
    assert there.updates == [{"stable": ("v1.0.0", 100)}] and there.entry() == BEFORE

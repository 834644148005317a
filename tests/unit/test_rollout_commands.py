"""The verbs of `rollout` against stand-ins: what is refused, before anything is changed, and what is gone on with."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

import settings
from analysis import AnalysisError
from analysis.checks import check
from analysis.history import Ended, Event, Noted, Started
from analysis.model import Sample
from app.services import SERVICES
from rollout import RolloutError, commands, drive, machine
from rollout.commands import Place
from rollout.drive import Driver
from rollout.stack import UpdateError
from rollout.views import Journal
from rollout.wishes import Wish
from settings.rollouts import Rollout, service_settings
from status.model import Service
from tests.unit.recording import ROOT
from tests.unit.rollout_world import BEFORE, NOTIFICATIONS, World, world

GOOD = {"to": "v1.1.0", "interval": "1s", "steps": ["50", "100"], "minRequests": "10"}


class Numbers:
    """A source that stands in: each track answers well, a hundred times for each reading."""

    name = "stand-in"

    def __init__(self, unreachable: bool = False) -> None:
        self._unreachable = unreachable
        self._readings = 0
        self._tracks: list[str] = []

    def begin(self, service: Service) -> None:
        """A window begins."""
        if self._unreachable:
            raise AnalysisError("nobody answers at 127.0.0.1:9")
        self._tracks = [track.name for track in service.tracks if track.name]

    def read(self) -> Mapping[str, Sample]:
        """More requests than before."""
        self._readings += 1
        return {track: Sample(requests=100 * self._readings) for track in self._tracks}

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on when the driver sleeps."""
    clock = World(Path("/nowhere"), [])
    monkeypatch.setattr(commands, "Driver", functools.partial(Driver, clock=lambda: clock.now, sleep=clock.sleep))


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which the commands find their stack."""
    made = world(tmp_path)
    monkeypatch.setattr(commands, "Stack", lambda *_: made)
    monkeypatch.setattr(drive, "RETRY_SECONDS", 0.0)
    return made


def place(there: World, unreachable: bool = False, service: str = NOTIFICATIONS) -> Place:
    """Where the commands act: the world."""
    return Place(
        service=service,
        stack="test",
        project=there.file.parent,
        folder=there.file.parent / "rollouts",
        environ={},
        view=lambda _exits, _events: there,
        source=lambda *_: Numbers(unreachable),
        check=check,
    )


def refusal(there: World, options: Mapping[str, Any], *sets: str, **more: Any) -> str:
    """What `rollout start` says when it refuses; and nothing was changed."""
    before = there.file.read_bytes()
    with pytest.raises(RolloutError) as refused:
        commands.start(place(there, **more), options, sets)
    assert there.file.read_bytes() == before and not there.updates, "a refusal changes nothing"
    return str(refused.value)


def phase(there: World) -> str:
    """The phase that is written."""
    state = there.rollout().state
    assert state
    return state.phase


def test_a_rollout_is_started_driven_and_kept_as_a_history(there: World) -> None:
    done = commands.start(place(there), GOOD, ["env.B=2"])
    assert done.state and done.state.phase == "promoted" == phase(there)
    assert there.entry()["stable"] == {"version": "v1.1.0", "env": {"A": "1", "B": "2"}}
    journal = Journal(there.file.parent / "rollouts", done.state.id)
    events = tuple(journal.events())
    assert isinstance(events[0], Started) and isinstance(events[-1], Ended)
    assert events[0].settings == BEFORE and events[-1].settings == there.entry()
    assert journal.file.stat().st_mode & 0o777 == 0o600


def test_everything_that_is_wrong_is_told_at_once_with_the_option_to_change(there: World) -> None:
    wrong = {"to": "v1 1", "steps": ["50", "25"], "maxP95": "500", "source": "gateway"}
    said = refusal(there, wrong, "nothing", unreachable=True)
    assert said.startswith("5 problems") and "nothing was changed" in said
    for told in (
        '--to: given "v1 1"; wanted an image tag',
        "--steps: given",
        "--set: given nothing; wanted env.NAME=VALUE",
        '--max-p95: given "500"; wanted a time with its unit',
        "--source: given gateway; wanted a source that answers (nobody answers at 127.0.0.1:9)",
        "fix: --max-p95 500ms",
    ):
        assert told in said, said


@pytest.mark.parametrize(
    ("options", "sets", "told"),
    [
        ({**GOOD, "to": "v1.0.0"}, (), "--to: given v1.0.0; wanted another version than stable's"),
        ({}, (), "--to: given nothing"),
        ({**GOOD, "strategy": "rolling"}, (), "--strategy: given"),
        (GOOD, ("colour=red",), "services.notifications-service.tracks.candidate.colour: given an unknown key"),
        (GOOD, ("minScale=few",), "tracks.candidate.minScale"),
        ({**GOOD, "maxErrorRate": "1"}, (), "--max-error-rate: given"),
    ],
)
def test_a_start_that_cannot_go_well_is_refused(
    there: World, options: dict[str, Any], sets: tuple[str, ...], told: str
) -> None:
    assert told in refusal(there, options, *sets)


def test_an_unknown_service_is_refused(there: World) -> None:
    assert "service: given nobody; wanted one of frontend" in refusal(there, GOOD, service="nobody")


def test_the_same_version_with_other_settings_is_a_rollout(there: World) -> None:
    commands.start(place(there), {**GOOD, "to": "v1.0.0"}, ["env.B=2"])
    assert phase(there) == "promoted"


def test_a_plan_in_the_settings_needs_no_options_and_options_replace_it(there: World) -> None:
    there.configuration.write(NOTIFICATIONS, BEFORE, {"to": "v2.0.0", "strategy": "blueGreen", "interval": "1s"})
    done = commands.start(place(there), {"to": "v1.1.0", "minRequests": "10"}, ())
    assert (done.to, done.strategy) == ("v1.1.0", "blueGreen") and there.shares == [0, 100, 100, -1]


def test_options_are_of_one_rollout_and_a_declared_plan_is_of_all(there: World) -> None:
    there.configuration.write(NOTIFICATIONS, BEFORE, {"to": "v2.0.0", "interval": "1s", "minRequests": "10"})
    commands.start(place(there), {"to": "v1.1.0", "steps": ["50", "100"]}, ["env.B=2"])
    done = commands.start(place(there), {"to": "v1.2.0", "strategy": "blueGreen"}, ())
    assert done.overrides == {} and done.steps == (0, 100), "options of the last rollout are taken for this one's"
    assert (done.interval, done.min_requests) == ("1s", 10), "what was declared is forgotten"


def under_way(there: World, **plan: Any) -> Rollout:
    """A rollout that some process left at its first step."""
    rollout = machine.started(Rollout.model_validate({**GOOD, **plan}), "r1", BEFORE)
    there.configuration.write(NOTIFICATIONS, service_settings(rollout), rollout.exported())
    return rollout


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


def test_a_plan_that_is_edited_after_an_end_is_the_next_ones(there: World) -> None:
    there.configuration.write(NOTIFICATIONS, BEFORE, {"to": "v2.0.0", "interval": "1s", "minRequests": "10"})
    commands.start(place(there), {"to": "v1.1.0", "steps": ["50", "100"]}, ())
    entry = there.configuration.rollout(NOTIFICATIONS)
    assert entry and {**entry, "state": None} == {"to": "v2.0.0", "interval": "1s", "minRequests": "10", "state": None}
    text = there.file.read_text()
    there.file.write_text(text.replace("    to: v2.0.0\n", "    to: v1.2.0\n      maxErrorRate: 7%\n", 1))
    done = commands.start(place(there), {}, ())
    assert (done.to, done.max_error_rate) == ("v1.2.0", "7%"), "what was edited is ignored"


def test_a_rollout_that_ended_says_still_what_it_was(there: World) -> None:
    done = commands.start(place(there), GOOD, ["env.B=2"])
    assert commands.current(place(there)) == done and done.to == "v1.1.0"
    assert set(there.configuration.rollout(NOTIFICATIONS) or ()) == {"state"}, "options are not declared"
    assert settings.load(there.configuration.raw(), tuple(SERVICES), ROOT).rollouts[NOTIFICATIONS] == done
    there.updates.clear()
    commands.resume(place(there), overwrite=False)
    assert there.shares == [-1], "an end is made real again by one update"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("minScale={", "--set: given minScale={; wanted KEY=VALUE with a value in YAML"),
        ("restart=2026-13-45", "--set"),
        ("minScale=", "wanted a value"),
    ],
)
def test_an_override_that_is_no_yaml_is_a_problem(there: World, given: str, told: str) -> None:
    assert told in refusal(there, GOOD, given)


def test_a_date_on_the_command_line_is_the_text_that_it_is(there: World) -> None:
    commands.start(place(there), GOOD, ["restart=2026-11-23"])
    assert phase(there) == "promoted" and there.entry()["stable"]["restart"] == "2026-11-23"

"""A rollout as a setting: what may be planned, what it makes of its service, and whom the program refuses meanwhile."""

from __future__ import annotations

from typing import Any

import pydantic
import pytest

from rollout import machine
from settings import SettingsError
from settings.rollouts import Rollout, service_settings
from tests.unit.rollout_world import BEFORE, NOTIFICATIONS
from tests.unit.test_settings_values import load


def begun(**plan: Any) -> Rollout:
    """A rollout at its first step."""
    return machine.started(Rollout(to="v1.1.0", **plan), "r1", BEFORE)


def configuration(rollout: Rollout, service: Any = None, **more: Any) -> dict[str, Any]:
    """A stack's configuration with a rollout under way; service: another entry than the rollout's."""
    services = {NOTIFICATIONS: service or service_settings(rollout)}
    return {"services": services, "rollouts": {NOTIFICATIONS: rollout.exported()}, **more}


def refusal(raw: dict[str, Any]) -> str:
    """What the program says of a configuration."""
    with pytest.raises(SettingsError) as refused:
        load(raw)
    return str(refused.value)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "steps that fall": ({"steps": [50, 25, 100]}, "percentages that rise and end at 100"),
    "a step twice": ({"steps": [50, 50, 100]}, "percentages that rise and end at 100"),
    "a step at 0": ({"steps": [0, 100]}, "percentages that rise and end at 100"),
    "steps that end below 100": ({"steps": [5, 50]}, "percentages that rise and end at 100"),
    "a step over 100": ({"steps": [5, 101]}, "less than or equal to 100"),
    "a step that is no number": ({"steps": ["five", 100]}, "a whole number"),
    "steps of blue/green": ({"strategy": "blueGreen", "steps": [5, 100]}, "blue/green goes from 0 to 100"),
    "two shares of an A/B": ({"strategy": "ab", "steps": [20, 50]}, "one share from 1 to 99"),
    "everything of an A/B": ({"strategy": "ab", "steps": [100]}, "one share from 1 to 99"),
    "a rate without its unit": ({"maxErrorRate": "1"}, "pattern"),
    "a rate over 100 %": ({"maxErrorRate": "101%"}, "pattern"),
    "a time without its unit": ({"maxP95": "500"}, "pattern"),
    "an increase without its unit": ({"maxErrorIncrease": "1"}, "pattern"),
    "an increase of 4xx over 100 %": ({"max4xxIncrease": "101%"}, "pattern"),
    "an increase by less than stable's": ({"maxP95Increase": "0.5x"}, "pattern"),
    "an interval of nothing": ({"interval": "0s"}, "1s to 24h"),
    "an interval without its unit": ({"interval": "60"}, "pattern"),
    "no requests at all": ({"minRequests": 0}, "greater than or equal to 1"),
    "an unknown key": ({"step": [100]}, "Extra inputs"),
}


@pytest.mark.parametrize(("plan", "wanted"), REFUSED.values(), ids=REFUSED)
def test_a_plan_that_makes_no_sense_is_refused(plan: dict[str, Any], wanted: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=wanted):
        Rollout.model_validate({"to": "v1.1.0", **plan})


def test_the_candidate_is_as_stable_but_for_version_and_overrides() -> None:
    rollout = begun(overrides={"env": {"B": "2"}, "minScale": 2})
    entry = service_settings(rollout)
    assert entry and entry["tracks"]["candidate"] == {
        "version": "v1.1.0",
        "env": {"A": "1", "B": "2"},
        "minScale": 2,
        "percent": 5,
        "tag": "candidate",
    }
    assert entry["stable"] == BEFORE["stable"] and entry["tracks"]["canary"] == BEFORE["tracks"]["canary"]


def test_every_state_of_a_rollout_is_a_sound_configuration() -> None:
    rollout, states = begun(), 0
    while rollout.under_way and rollout.state:
        assert load(configuration(rollout)).rollouts[NOTIFICATIONS] == rollout
        following = machine.settled if rollout.state.phase == "promoting" else machine.passed
        rollout, states = following(rollout), states + 1
    assert states == 5 and load(configuration(rollout)).services[NOTIFICATIONS].stable.version == "v1.1.0"


def test_a_share_changed_by_hand_during_a_rollout_is_refused_with_the_two_ways_out() -> None:
    rollout = begun()
    other = service_settings(machine.passed(rollout))
    said = refusal(configuration(rollout, other))
    assert "rollout that is under way (to v1.1.0, 5 percent)" in said
    assert f"rollout abort {NOTIFICATIONS}" in said and f"rollout resume {NOTIFICATIONS} --overwrite" in said


def test_another_track_cannot_take_a_share_during_a_rollout() -> None:
    said = refusal(configuration(begun(), canaryPercent=10))
    assert "services.notifications-service.tracks.canary.percent: given 10 percent" in said
    assert "pulumi config set canaryPercent 0" in said


def test_a_track_of_the_rollouts_name_is_in_its_way() -> None:
    rollout = machine.started(Rollout(to="v1.1.0"), "r1", {"tracks": {"candidate": {"version": "v1.1.0"}}})
    assert "tracks.candidate: given a track of your own" in refusal(configuration(rollout))


def test_a_rollout_of_nobody_is_refused() -> None:
    assert "rollouts.nobody: given an unknown service" in refusal({"rollouts": {"nobody": {"to": "v1.1.0"}}})


def test_a_plan_alone_and_a_rollout_that_ended_leave_the_service_to_its_owner() -> None:
    owned = {"stable": {"version": "v3.0.0"}}
    for rollout in (Rollout(to="v1.1.0"), machine.aborted(begun())):
        assert load(configuration(rollout, owned)).services[NOTIFICATIONS].stable.version == "v3.0.0"


@pytest.mark.parametrize("declared", [None, {"to": "v2.0.0", "maxErrorRate": "5%"}])
def test_an_end_gives_its_entry_back_to_what_was_declared(declared: dict[str, Any] | None) -> None:
    rollout = machine.aborted(machine.started(Rollout(to="v1.1.0", interval="5s"), "r1", BEFORE, declared))
    entry = rollout.exported()
    assert {key: value for key, value in entry.items() if key != "state"} == (declared or {})
    assert Rollout.model_validate(entry) == rollout, "what the rollout was is lost"


def test_a_state_beyond_the_steps_is_refused_with_the_way_out() -> None:
    entry = {**machine.passed(begun()).exported(), "steps": [100]}
    said = refusal({"services": {NOTIFICATIONS: BEFORE}, "rollouts": {NOTIFICATIONS: entry}})
    assert f"rollouts.{NOTIFICATIONS}.state: given" in said and "put back those that the rollout began with" in said

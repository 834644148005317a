"""What `rollout start` makes of options and of the plan in the settings; what is wrong with them is told at once."""

from __future__ import annotations

from typing import Any

import pytest

from rollout import commands
from tests.unit.rollout_commands import GOOD, nobody_waits, phase, place, refusal, there
from tests.unit.rollout_world import BEFORE, NOTIFICATIONS, World

__all__ = ["nobody_waits", "there"]


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
    assert "service: given nobody; wanted one of agenda-service" in refusal(there, GOOD, service="nobody")


def test_a_limit_that_the_source_cannot_judge_is_refused_with_the_nearest_ones(there: World) -> None:
    text = refusal(there, {**GOOD, "maxP95": "300ms", "maxP99": "500ms"})
    assert "--max-p95: given 300ms; wanted 250ms or 500ms: " in text, "it passes whatever the latency is"
    assert "--max-p99" not in text
    assert "--max-p99: given 9s; wanted 500ms: " in refusal(there, {**GOOD, "maxP99": "9s"})


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


def test_a_plan_that_is_edited_after_an_end_is_the_next_ones(there: World) -> None:
    there.configuration.write(NOTIFICATIONS, BEFORE, {"to": "v2.0.0", "interval": "1s", "minRequests": "10"})
    commands.start(place(there), {"to": "v1.1.0", "steps": ["50", "100"]}, ())
    entry = there.configuration.rollout(NOTIFICATIONS)
    assert entry and {**entry, "state": None} == {"to": "v2.0.0", "interval": "1s", "minRequests": "10", "state": None}
    text = there.file.read_text()
    there.file.write_text(text.replace("    to: v2.0.0\n", "    to: v1.2.0\n      maxErrorRate: 7%\n", 1))
    done = commands.start(place(there), {}, ())
    assert (done.to, done.max_error_rate) == ("v1.2.0", "7%"), "what was edited is ignored"


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

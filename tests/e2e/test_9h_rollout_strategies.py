"""Blue/green and A/B rollouts on a real cluster, and a person who pauses, promotes and aborts; under load."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from analysis.history import Ended, Event, Judged, Shared
from tests.e2e.environment import Environment, eventually
from tests.e2e.rollouts import HEALTHY, SERVICE, Run, entry, killed, run
from tests.e2e.traffic import Client, Prober, assert_share, observed

pytestmark = pytest.mark.long
PLAIN = {"stable": {"version": "v1.0.0"}}
PROMOTED = {"stable": {"version": "v1.1.0"}}
PAUSED, BACK = 4, 3
"""Exit codes: a person has to decide; rolled back or aborted."""


@pytest.fixture
def plain(environment: Environment) -> Environment:
    """The environment with v1.0.0 of every service, and no rollout."""
    environment.configure({SERVICE: PLAIN})
    environment.up()
    return environment


def meanwhile(environment: Environment, act: Callable[[], Run], *arguments: str) -> tuple[Run, Run]:
    """A rollout from its start to its end, and what a person does in a second terminal once its first step is there."""
    acted: list[Run] = []

    def when(event: Event) -> bool:
        if isinstance(event, Shared) and not acted:
            acted.append(act())
        return False

    return killed(environment, when, "start", *arguments), acted[0]


def test_green_is_checked_under_its_tag_and_takes_all_at_once(plain: Environment, client: Client) -> None:
    with Prober(client, SERVICE) as prober:
        done = run(plain, "start", *HEALTHY, "--strategy", "blue-green")
    assert done.code == 0, done.errors
    assert done.path == [0, 100, -1], "at its tag only, then everything; and it goes when stable is the new version"
    preview, switch = done.of(Judged)
    assert preview.source == "probes" and preview.verdict.outcome == "passed", preview
    assert switch.source == "gateway" and switch.verdict.outcome == "passed", switch
    prober.assert_nothing_lost()
    assert entry(plain) == PROMOTED and observed(client, SERVICE, 50) == {"1.1.0": 50}


def test_a_bad_green_is_found_before_any_user_sees_it(plain: Environment, client: Client) -> None:
    with Prober(client, SERVICE) as prober:
        done = run(plain, "start", *HEALTHY, "--strategy", "blue-green", "--set", "env.FAULT_ERROR_PERCENT=30")
    assert done.code == BACK and "error rate" in done.errors, done
    assert done.path == [0, -1]
    prober.assert_nothing_lost()
    assert entry(plain) == PLAIN and observed(client, SERVICE, 50) == {"1.0.0": 50}


def test_an_ab_comparison_leaves_the_decision_to_a_person(plain: Environment, client: Client) -> None:
    with Prober(client, SERVICE) as prober:
        compared = run(plain, "start", *HEALTHY, "--strategy", "ab", "--steps", "30")
        assert compared.code == PAUSED and compared.path == [30], compared
        assert compared.of(Judged)[-1].verdict.outcome == "passed"
        assert_share(observed(client, SERVICE, 300), "1.1.0", 30)
        promoted = run(plain, "promote")
    assert promoted.code == 0, promoted.errors
    assert promoted.of(Ended)[-1].ending == "promoted"
    prober.assert_nothing_lost()
    assert entry(plain) == PROMOTED and observed(client, SERVICE, 50) == {"1.1.0": 50}


def test_a_pause_from_a_second_terminal_keeps_the_traffic_until_a_resume(plain: Environment, client: Client) -> None:
    with Prober(client, SERVICE) as prober:
        paused, asked = meanwhile(plain, lambda: run(plain, "pause"), *HEALTHY, "--steps", "20,100")
        assert paused.code == PAUSED and asked.code == 0, (paused, asked)
        assert paused.path == [20]
        assert_share(observed(client, SERVICE, 300), "1.1.0", 20)
        resumed = run(plain, "resume")
    assert resumed.code == 0 and resumed.shares[-1] == -1, resumed
    prober.assert_nothing_lost()
    assert entry(plain) == PROMOTED


def test_a_full_promotion_skips_the_steps_that_are_left(plain: Environment, client: Client) -> None:
    with Prober(client, SERVICE) as prober:
        full = lambda: run(plain, "promote", "--full")  # noqa: E731 - what a person does, in one line
        done, asked = meanwhile(plain, full, *HEALTHY, "--interval", "120s", "--steps", "10,20,30,100")
    assert done.code == 0 and asked.code == 0, (done, asked)
    assert done.path == [10, 100, -1], "no waiting, and no step between"
    prober.assert_nothing_lost()
    assert entry(plain) == PROMOTED and observed(client, SERVICE, 50) == {"1.1.0": 50}


def test_an_abort_takes_the_candidate_out_at_once(plain: Environment, client: Client) -> None:
    with Prober(client, SERVICE) as prober:
        abort = lambda: run(plain, "abort")  # noqa: E731 - what a person does, in one line
        done, asked = meanwhile(plain, abort, *HEALTHY, "--interval", "120s", "--steps", "50,100")
    assert done.code == BACK and asked.code == 0, (done, asked)
    assert done.path == [50, -1]
    prober.assert_nothing_lost()
    assert entry(plain) == PLAIN
    eventually(10, "stable alone", lambda: observed(client, SERVICE, 50) == {"1.0.0": 50})

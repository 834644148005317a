"""Guided rollouts on a real cluster, under load: promoted, rolled back with the reason, killed and resumed."""

from __future__ import annotations

import pytest

from analysis.history import Ended, Judged, Shared
from tests.e2e.environment import Environment, eventually
from tests.e2e.rollouts import HEALTHY, INTERVAL, SERVICE, back_within, entry, killed, run
from tests.e2e.traffic import Client, Prober, observed


@pytest.fixture
def plain(environment: Environment) -> Environment:
    """The environment with v1.0.0 of every service, and no rollout."""
    environment.configure({SERVICE: {"stable": {"version": "v1.0.0"}}})
    environment.up()
    return environment


def test_a_good_candidate_is_promoted_though_the_tool_is_killed_on_the_way(plain: Environment, client: Client) -> None:
    with Prober(client, SERVICE) as prober:
        first = killed(plain, lambda event: isinstance(event, Judged), "start", *HEALTHY, "--steps", "50,100", after=1)
        assert first.code == -9 and first.shares == [50], first
        second = run(plain, "resume")
    assert second.code == 0, second.errors
    assert second.shares == [100, 100, -1], "no step was left out, and none taken twice"
    prober.assert_nothing_lost()
    assert entry(plain) == {"stable": {"version": "v1.1.0"}}
    assert observed(client, SERVICE, 50) == {"1.1.0": 50}
    rollout = plain.outputs()["rollouts"][SERVICE]
    assert rollout["state"]["phase"] == "promoted", "the state is an output of the same update"
    ended = second.of(Ended)[0]
    assert ended.ending == "promoted" and ended.user_errors == 0 and (ended.user_requests or 0) > 100, ended


def test_a_candidate_with_5_percent_errors_is_rolled_back_within_one_interval(
    plain: Environment, client: Client
) -> None:
    with Prober(client, SERVICE) as prober:
        done = run(plain, "start", *HEALTHY, "--steps", "50,100", "--set", "env.FAULT_ERROR_PERCENT=5")
    assert done.code == 3 and "error rate" in done.errors, done
    assert done.shares == [50, -1], "back in one update"
    to, back = done.of(Shared)
    assert back_within(to, back, INTERVAL), "within the interval, and one update"
    lost = len(prober.lost) / prober.sent
    print(f"{len(prober.lost)} of {prober.sent} requests failed ({lost:.1%}); {done.of(Ended)[0]}")
    assert 0 < lost < 0.05, "only the candidate's half, of which one in twenty"
    assert entry(plain) == {"stable": {"version": "v1.0.0"}}, "the settings of before"
    eventually(10, "stable alone", lambda: observed(client, SERVICE, 50) == {"1.0.0": 50})


def test_what_cannot_go_well_is_refused_all_at_once_and_nothing_is_changed(plain: Environment) -> None:
    before = plain.outputs()
    wrong = ("--to", "v1 1", "--steps", "50,25", "--max-p95", "500", "--source", "prometheus:http://127.0.0.1:9")
    done = run(plain, "start", *wrong)
    assert done.code == 1 and not done.events
    for told in ("--to: given", "--steps: given", "--max-p95: given", "--source: given", "4 problems"):
        assert told in done.errors, done.errors
    assert plain.outputs() == before and entry(plain) == {"stable": {"version": "v1.0.0"}}

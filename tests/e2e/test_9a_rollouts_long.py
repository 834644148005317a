"""Guided rollouts, the long form: every kind of bad version, the tool killed at ten points, the cost of a step."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import time
from typing import Any

import pytest

from analysis.history import Ended, Judged, Measured, Shared
from tests.e2e import figures
from tests.e2e.environment import PROJECT, Environment
from tests.e2e.rollouts import HEALTHY, SERVICE, back_within, entry, killed, run
from tests.e2e.traffic import Client, Prober, observed

pytestmark = pytest.mark.long
FIGURES = PROJECT / "docs" / "figures" / "rollouts.json"
PLAIN = {"stable": {"version": "v1.0.0"}}
FAULTS = {
    "5 percent errors": ("env.FAULT_ERROR_PERCENT=5", "error rate", 6.0),
    "slow by 300 ms": ("env.FAULT_LATENCY_MS=300", "p95", 6.0),
    "crashes after a minute": ("env.FAULT_CRASH_AFTER_SECONDS=60", "error rate", 25.0),
}
"""Override, what the reason names, and the interval in seconds."""
KILLS: dict[str, tuple[type[Any], int, float]] = {
    "the first step is there": (Shared, 0, 0.0),
    "amid the first interval": (Measured, 2, 0.0),
    "the first verdict is there": (Judged, 0, 0.0),
    "the second update begins": (Judged, 0, 0.5),
    "the second update's program runs": (Judged, 0, 1.5),
    "the second update's traffic moves": (Judged, 0, 3.0),
    "amid the second interval": (Measured, 7, 0.0),
    "the promotion begins": (Judged, 1, 1.0),
    "stable starts anew": (Judged, 1, 3.0),
    "the candidate goes": (Shared, 2, 2.0),
}
"""Kind of event, how many of it came before, and seconds after it."""


def keep(**found: Any) -> None:
    """Print figures, and add them to the documentation's with KEEP_FIGURES=1."""
    print(json.dumps(found))
    if os.environ.get("KEEP_FIGURES") == "1":
        kept = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
        date = datetime.datetime.now(datetime.UTC).date().isoformat()
        FIGURES.parent.mkdir(exist_ok=True)
        FIGURES.write_text(json.dumps({**kept, "date": date, "cpus": os.cpu_count(), **found}, indent=1) + "\n")


@pytest.fixture
def plain(environment: Environment) -> Environment:
    """The environment with v1.0.0 of every service, and no rollout."""
    environment.configure({SERVICE: PLAIN})
    environment.up()
    return environment


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_candidate_is_rolled_back_within_one_interval(plain: Environment, client: Client, fault: str) -> None:
    override, told, interval = FAULTS[fault]
    options = ("--interval", f"{interval:g}s", "--max-p95", "200ms", "--min-requests", "50", "--steps", "25,30,35,100")
    with Prober(client, SERVICE) as prober:
        done = run(plain, "start", "--to", "v1.1.0", *options, "--set", override)
    assert done.code == 3 and told in done.errors, done
    to, back = done.of(Shared)[-2:]
    assert back_within(to, back, interval), "within the step's interval, and one update"
    assert entry(plain) == PLAIN and observed(client, SERVICE, 50) == {"1.0.0": 50}
    largest = max(done.shares) / 100
    assert len(prober.lost) <= largest * prober.sent, "no more than the candidate's share"
    ended = done.of(Ended)[0]
    figure = {
        "sent": prober.sent,
        "lost": len(prober.lost),
        "largest_share": largest,
        "interval_seconds": interval,
        "back_seconds": (back.at - to.at).total_seconds(),
        "update_seconds": back.seconds,
        "reasons": ended.reasons,
        "counted": [ended.user_requests, ended.user_errors],
    }
    keep(**{fault: figure})


@pytest.mark.parametrize("point", KILLS)
def test_killed_at_any_point_a_resume_comes_to_the_same_end(plain: Environment, client: Client, point: str) -> None:
    kind, before, after = KILLS[point]
    seen = 0

    def when(event: Any) -> bool:
        nonlocal seen
        seen += isinstance(event, kind)
        return seen > before

    with Prober(client, SERVICE) as prober:
        first = killed(plain, when, "start", *HEALTHY, "--steps", "50,100", after=after)
        second = run(plain, "resume")
    assert first.code == -9 and second.code == 0, (first, second)
    shares = list(dict.fromkeys([*first.shares, *second.shares]))
    assert shares in ([50, 100, -1], [50, -1]) and second.shares[-1] == -1, "an update may have been killed unseen"
    assert entry(plain) == {"stable": {"version": "v1.1.0"}}
    prober.assert_nothing_lost()
    assert observed(client, SERVICE, 50) == {"1.1.0": 50}
    plain.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_a_step_costs_little_more_than_its_update(plain: Environment, client: Client) -> None:
    steps, interval = (25, 50, 75, 100), 3
    plan = ("--to", "v1.1.0", "--steps", ",".join(map(str, steps)), "--interval", f"{interval}s", "--min-requests", "5")
    with Prober(client, SERVICE):
        done = run(plain, "start", *plan)
        assert done.code == 0, done.errors
        ends = [shared.at for shared in done.of(Shared) if shared.step is not None]
        beyond = [(b - a).total_seconds() - interval for a, b in itertools.pairwise(ends)]
        bare = []
        for percent in steps:
            track = {"version": "v1.1.0", "percent": percent, "tag": "candidate"}
            plain.configure({SERVICE: {**PLAIN, "tracks": {"candidate": track}}})
            begun = time.monotonic()
            plain.up()
            bare.append(time.monotonic() - begun)
    # What else the machine does only adds, so the smallest of each tell the two apart best.
    cost = min(beyond) - min(bare[1:])
    keep(overhead={"beyond_interval": beyond, "bare_up": bare[1:], "cost": cost}, versions=figures.versions(plain))
    assert cost <= 3, f"beyond their intervals {beyond}, bare updates {bare[1:]}"

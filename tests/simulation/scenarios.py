"""What is simulated: candidates that keep to everything, at the edge of what is allowed, and candidates that do not."""

from __future__ import annotations

from typing import Any

from analysis.model import Thresholds
from tests.simulation.rollouts import Scenario
from tests.simulation.traffic import Version

LIMITS = Thresholds(max_error_rate=0.01, max_p95=500)
NOTHING_MORE = Thresholds(max_error_increase=0.0, max_p95_increase=0.0)
"""No limits, and no difference from stable is tolerated: the tests alone decide."""
COMPARED = Thresholds()


def _good(
    name: str, stable: Version, candidate: Version | None, limits: Thresholds, requests: int = 4000, **more: Any
) -> Scenario:
    """candidate: None: like stable."""
    return Scenario(
        name=f"{name}; {requests:,} a step",
        stable=stable,
        candidate=candidate or stable,
        thresholds=limits,
        requests=requests,
        **more,
    )


GOOD = (
    _good("both 0.1% errors", Version(errors=0.001), None, LIMITS),
    _good("both 1% errors, at the limit", Version(errors=0.01), None, LIMITS),
    _good("both 1% errors, at the limit", Version(errors=0.01), None, LIMITS, 40_000),
    _good("both 5% errors, nothing tolerated", Version(errors=0.05), None, NOTHING_MORE),
    _good("0.1% and 1.1% errors, 1 point tolerated", Version(errors=0.001), Version(errors=0.011), COMPARED),
    _good("1% and 2% errors, 1 point tolerated", Version(errors=0.01), Version(errors=0.02), COMPARED, 40_000),
    _good("errors 5 at a time, both 0.3%, limit 1%", Version(errors=0.003, clump=5), None, LIMITS),
    _good("errors 20 at a time, both 0.5%, limit 1%", Version(errors=0.005, clump=20), None, LIMITS),
    _good("errors 20 at a time, both 0.5%, limit 1%", Version(errors=0.005, clump=20), None, LIMITS, 40_000),
    _good("both from 0.2% to 1.4% errors and back, limit 1%", Version(errors=0.008, drift=0.75), None, LIMITS),
    _good(
        "0.1% errors, and 0.6%, all in the first 2 s",
        Version(errors=0.001),
        Version(errors=0.006, cold=True),
        LIMITS,
    ),
    _good("an outage of both: 20% errors, limit 1%", Version(errors=0.2), None, LIMITS, 1000, steps=(5, 25, 50)),
    _good("p95 500 ms, at the limit", Version(errors=0.001, p95=500), None, LIMITS, times=True),
    _good("p95 200 ms, nothing tolerated", Version(errors=0.001, p95=200), None, NOTHING_MORE, times=True),
    _good(
        "p95 100 and 200 ms, 100 ms tolerated",
        Version(errors=0.001),
        Version(errors=0.001, p95=200),
        COMPARED,
        40_000,
        times=True,
    ),
)
"""The candidate keeps to all limits and increases, or is as bad as stable: each failed rollout is a false alarm."""


def _worse(name: str, stable: Version, candidate: Version, limits: Thresholds, per_track: int) -> Scenario:
    """One step at 50 %, of the four of a rollout: the level is shared as in a whole one."""
    return Scenario(
        name=f"{name}; {per_track:,} of each track",
        stable=stable,
        candidate=candidate,
        thresholds=limits,
        steps=(50,),
        requests=2 * per_track,
        times=candidate.p95 != stable.p95,
    )


WORSE = (
    _worse("0% and 5% errors, limit 1%", Version(errors=0), Version(errors=0.05), LIMITS, 450),
    _worse("1% and 6% errors, limit 1%", Version(errors=0.01), Version(errors=0.06), LIMITS, 450),
    _worse("0% and 5% errors, only compared", Version(errors=0), Version(errors=0.05), COMPARED, 650),
    _worse("1% and 6% errors, only compared", Version(errors=0.01), Version(errors=0.06), COMPARED, 1200),
    _worse("5% and 10% errors, only compared", Version(errors=0.05), Version(errors=0.1), COMPARED, 2600),
    _worse("p95 100 and 300 ms, only compared", Version(errors=0), Version(errors=0, p95=300), COMPARED, 800),
)
"""The candidate is worse than what is tolerated: each step that does not fail it is a miss."""

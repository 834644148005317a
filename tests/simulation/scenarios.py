"""What is simulated: candidates that are like stable, at the edge of what is allowed, and candidates that are worse."""

from __future__ import annotations

from analysis.model import Thresholds
from tests.simulation.rollouts import Scenario, Version

LIMITS = Thresholds(max_error_rate=0.01, max_p95=500)
COMPARED = Thresholds(max_error_increase=0.0, max_p95_increase=0.0)
"""No limits, and no difference from stable is tolerated: the tests alone decide."""


def _identical(name: str, version: Version, thresholds: Thresholds, requests: int) -> Scenario:
    return Scenario(name=name, stable=version, candidate=version, thresholds=thresholds, requests=requests)


IDENTICAL = (
    _identical("well: 0.1% errors, p95 100 ms", Version(errors=0.001, p95=100), LIMITS, 4000),
    _identical("both at the limits: 1% errors, p95 500 ms", Version(errors=0.01, p95=500), LIMITS, 4000),
    _identical("the same, ten times the traffic", Version(errors=0.01, p95=500), LIMITS, 40_000),
    _identical("5% errors, only compared, nothing tolerated", Version(errors=0.05, p95=200), COMPARED, 4000),
    _identical("50% errors, only compared, nothing tolerated", Version(errors=0.5, p95=200), COMPARED, 4000),
)
"""Stable and candidate are the same, and keep to all limits: each failed rollout is a false alarm."""


def _worse(name: str, errors: float, thresholds: Thresholds, per_track: int) -> Scenario:
    """One step at 50 %, of the four of a rollout: the level is shared as in a whole one."""
    return Scenario(
        name=f"{name}, {per_track} requests of each track",
        stable=Version(errors=errors, p95=100),
        candidate=Version(errors=errors + 0.05, p95=100),
        thresholds=thresholds,
        steps=(50,),
        requests=2 * per_track,
    )


WORSE = (
    _worse("0% and 5%, limit 1%", 0.0, LIMITS, 350),
    _worse("1% and 6%, limit 1%", 0.01, LIMITS, 350),
    _worse("0% and 5%, only compared", 0.0, Thresholds(), 350),
    _worse("1% and 6%, only compared", 0.01, Thresholds(), 600),
    _worse("5% and 10%, only compared", 0.05, Thresholds(), 1400),
)
"""The candidate fails five points more of its requests: each look that does not fail it is a miss."""

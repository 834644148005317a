"""Whole rollouts with drawn requests, judged by the analysis itself. Pure but for the given random generator."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import beta, lognorm

from analysis.histogram import Bucket, Histogram
from analysis.model import Outcome, Sample, Thresholds
from analysis.verdict import judge

CONFIDENCE = 0.95
SIGMA = 0.8
"""Of the logarithm of the latencies: 95 % of them take less than 3.7 times the median."""
EDGES = np.concatenate([[0.0], np.geomspace(1, 10_000, 160)])
"""Of the histogram's buckets in milliseconds, about as fine as Envoy's detailed ones."""


LOWS = [float(edge) for edge in EDGES]
HIGHS = [*LOWS[1:], LOWS[-1]]
"""The last bucket has no end, and is told by its beginning."""


@functools.cache
def weights(p95: float) -> Any:
    """Probability of each bucket."""
    scale = p95 / lognorm.ppf(0.95, SIGMA)
    return np.diff(lognorm.cdf(np.append(EDGES, math.inf), SIGMA, scale=scale))


@dataclass(frozen=True, kw_only=True)
class Version:
    """What requests to a version are like."""

    errors: float
    """Share that fails."""
    p95: float
    """Milliseconds."""

    def sample(self, generator: np.random.Generator, requests: int) -> Sample:
        """So many requests."""
        counts = generator.multinomial(requests, weights(self.p95))
        buckets = tuple(
            Bucket(low, high, int(count)) for low, high, count in zip(LOWS, HIGHS, counts, strict=True) if count
        )
        return Sample(
            requests=requests, errors=int(generator.binomial(requests, self.errors)), latency=Histogram(buckets)
        )


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A rollout of a version beside another."""

    name: str
    stable: Version
    candidate: Version
    thresholds: Thresholds
    steps: tuple[int, ...] = (5, 25, 50, 100)
    looks: int = 4
    """For how many looks the level is shared."""
    requests: int
    """To the service in each step."""


def verdict(scenario: Scenario, generator: np.random.Generator, step: int) -> Outcome:
    """Of one step: its share decides who gets each request."""
    ours = int(generator.binomial(scenario.requests, step / 100))
    stable = scenario.stable.sample(generator, scenario.requests - ours) if step < 100 else None
    candidate = scenario.candidate.sample(generator, ours)
    return judge(stable, candidate, scenario.thresholds, scenario.looks).outcome


def failed(scenario: Scenario, generator: np.random.Generator) -> bool:
    """Whether a whole rollout is failed at one of its steps."""
    return any(verdict(scenario, generator, step) == "failed" for step in scenario.steps)


def bound(seen: int, total: int) -> float:
    """Upper 95 % bound of a probability of which so many of a total were seen (Clopper and Pearson)."""
    return 1.0 if seen == total else float(beta.ppf(CONFIDENCE, seen + 1, total - seen))


@dataclass(frozen=True, kw_only=True)
class Result:
    """A scenario, run many times."""

    name: str
    rollouts: int
    counted: int
    """False alarms, or misses."""

    @property
    def rate(self) -> float:
        """Share of the rollouts."""
        return self.counted / self.rollouts

    @property
    def bound(self) -> float:
        """Upper 95 % bound of the true share."""
        return bound(self.counted, self.rollouts)


def run(scenarios: Sequence[Scenario], rollouts: int, seed: int, alarms: bool) -> list[Result]:
    """Each scenario so many times, from a seed.

    alarms: count failed rollouts (false alarms); else those that were not failed (misses).
    """
    results = []
    for index, scenario in enumerate(scenarios):
        generator = np.random.default_rng([seed, index])
        counted = sum(failed(scenario, generator) == alarms for _ in range(rollouts))
        results.append(Result(name=scenario.name, rollouts=rollouts, counted=counted))
    return results

"""Whole rollouts with drawn requests, judged by the analysis itself. Pure but for the given random generator."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import beta

from analysis.model import Pieces, Sample, Thresholds
from analysis.spending import EARLY_LOOKS, Spending
from analysis.verdict import failing, judge
from status.counters.histogram import Bucket, Histogram
from tests.simulation.traffic import EDGES, SECONDS, Version

CONFIDENCE = 0.95
LOWS = [float(edge) for edge in EDGES]
HIGHS = [*LOWS[1:], LOWS[-1]]
"""The last bucket has no end, and is told by its beginning."""
NEAR = 2.5
"""Standard deviations beyond what is tolerated, below which no look is near a failure, and none is judged here."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A rollout of a version beside another."""

    name: str
    stable: Version
    candidate: Version
    thresholds: Thresholds
    steps: tuple[int, ...] = (5, 25, 50, 100)
    looks: int = 4
    """For how many steps the level is shared."""
    requests: int
    """To the service in each step."""
    times: bool = False
    """Whether latencies are drawn. Then each step is judged at its end alone, with all of the step's level."""


@dataclass(frozen=True)
class _Step:
    """One step of many rollouts: requests and errors of each second, by rollout."""

    ours: Any
    failed: Any
    theirs: Any
    failed_there: Any

    def samples(self, rollout: int, seconds: int) -> tuple[Pieces, Sample, Sample]:
        """The first seconds of one rollout: in pieces, stable's whole, the candidate's whole."""
        pieces = [
            tuple(
                Sample(requests=int(n), errors=int(x), seconds=1)
                for n, x in zip(requests[rollout, :seconds], errors[rollout, :seconds], strict=True)
            )
            for requests, errors in ((self.theirs, self.failed_there), (self.ours, self.failed))
        ]
        wholes = [
            Sample(requests=sum(p.requests for p in track), errors=sum(p.errors for p in track)) for track in pieces
        ]
        return Pieces(pieces[0], pieces[1]), wholes[0], wholes[1]


def _looks() -> list[tuple[int, float]]:
    """After how many seconds of a step there is a look, with its share of the step's level."""
    spending, every = Spending(), SECONDS // (EARLY_LOOKS + 1)
    return [*((every * (k + 1), spending.early()) for k in range(EARLY_LOOKS)), (SECONDS, spending.end())]


def failed(scenario: Scenario, generator: np.random.Generator, rollouts: int, near: float = NEAR) -> int:
    """How many whole rollouts are failed at one of their looks."""
    lost = np.zeros(rollouts, dtype=bool)
    for step in scenario.steps:
        whole = np.full((rollouts, SECONDS), scenario.requests // SECONDS)
        ours = generator.binomial(whole, step / 100)
        theirs = whole - ours
        drawn = _Step(
            ours,
            scenario.candidate.failed(generator, ours),
            theirs,
            scenario.stable.failed(generator, theirs),
        )
        if scenario.times:
            lost |= _slow(scenario, generator, drawn, step, near)
        else:
            for seconds, share in _looks():
                for rollout in np.flatnonzero(~lost & _near(scenario.thresholds, drawn, seconds, step, near)):
                    looks, limits = scenario.looks / share, scenario.thresholds
                    pieces, stable, candidate = drawn.samples(int(rollout), seconds)
                    if seconds < SECONDS:
                        lost[rollout] = failing(step < 100, limits, looks, pieces) is not None
                    else:
                        verdict = judge(stable if step < 100 else None, candidate, limits, looks, (), pieces)
                        lost[rollout] = verdict.outcome == "failed"
    return int(lost.sum())


def _near(limits: Thresholds, drawn: _Step, seconds: int, step: int, near: float) -> Any:
    """Which rollouts have numbers at which a test of the errors may fail."""
    n, x, m, y = (
        numbers[:, :seconds].sum(axis=1) for numbers in (drawn.ours, drawn.failed, drawn.theirs, drawn.failed_there)
    )
    found = np.zeros(len(n), dtype=bool)
    if limits.max_error_rate is not None:
        most = limits.max_error_rate
        found |= x - n * most > near * np.sqrt(n * most * (1 - most))
    if step < 100 and limits.max_error_increase is not None:
        ours, base = x / np.maximum(1, n), y / np.maximum(1, m)
        spread = np.sqrt(ours * (1 - ours) / np.maximum(1, n) + base * (1 - base) / np.maximum(1, m))
        found |= ours - base - limits.max_error_increase > near * spread
    return found


def _slow(scenario: Scenario, generator: np.random.Generator, drawn: _Step, step: int, near: float) -> Any:
    """Which rollouts fail at the end of a step by their latencies, or by anything else."""
    totals = [numbers.sum(axis=1) for numbers in (drawn.ours, drawn.failed, drawn.theirs, drawn.failed_there)]
    mine = scenario.candidate.times(generator, totals[0])
    base = scenario.stable.times(generator, totals[2])
    lost = np.zeros(len(mine), dtype=bool)
    for rollout in np.flatnonzero(_may_be_slow(scenario, mine, base, near)):
        ours, errors, theirs, errors_there = (int(total[rollout]) for total in totals)
        stable = Sample(requests=theirs, errors=errors_there, latency=histogram(base[rollout]))
        candidate = Sample(requests=ours, errors=errors, latency=histogram(mine[rollout]))
        verdict = judge(stable if step < 100 else None, candidate, scenario.thresholds, scenario.looks)
        lost[rollout] = verdict.outcome == "failed"
    return lost


def _may_be_slow(scenario: Scenario, mine: Any, base: Any, near: float) -> Any:
    """Which rollouts have so many slow requests that a test of the latencies may fail."""
    edges, total = np.array(LOWS), np.maximum(1, mine.sum(axis=1))
    past = base.cumsum(axis=1) >= 0.95 * base.sum(axis=1)[:, None]
    allowed = edges[past.argmax(axis=1)] + (scenario.thresholds.max_p95_increase or 0.0)
    limit = np.minimum(allowed, scenario.thresholds.max_p95 or math.inf)
    over = (mine * (edges[None, :] >= limit[:, None])).sum(axis=1)
    return over - 0.05 * total > near / 3 * np.sqrt(0.05 * 0.95 * total)


def histogram(counts: Any) -> Histogram:
    """Counts of the buckets."""
    return Histogram(tuple(Bucket(a, b, int(n)) for a, b, n in zip(LOWS, HIGHS, counts, strict=True) if n))


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


def run(
    scenarios: Sequence[Scenario], rollouts: int, seed: int, alarms: bool, apply: Callable[..., Iterable[Result]] = map
) -> list[Result]:
    """Each scenario so many times, from a seed.

    alarms: count failed rollouts (false alarms); else those that were not failed (misses).
    apply: such as the `map` of a pool of processes.
    """
    tasks = [(scenario, rollouts, (seed, index), alarms) for index, scenario in enumerate(scenarios)]
    return list(apply(_run, tasks))


def _run(task: tuple[Scenario, int, tuple[int, int], bool]) -> Result:
    scenario, rollouts, seed, alarms = task
    lost = failed(scenario, np.random.default_rng(seed), rollouts)
    return Result(name=scenario.name, rollouts=rollouts, counted=lost if alarms else rollouts - lost)

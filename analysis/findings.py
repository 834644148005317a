"""The tests of one look that count requests: what each holds them against, and what it says. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from analysis.clumps import Count, counted
from analysis.exact import excess, fewest, found_from, log_at_least
from analysis.model import Finding, Outcome, Sample
from analysis.thresholds import points_text, rate_text

POWER = 0.95
"""With this probability the fault that a passed test names would have been found."""
CLEARLY = 0.05
"""Stable breaks a limit where its numbers have at most this probability at the limit."""
Test = Callable[[float], Finding]
"""A test, given its level."""


@dataclass(frozen=True)
class Track:
    """What one track did in the window, and in its pieces."""

    sample: Sample
    pieces: Sequence[Sample] = ()

    def count(self, of: Callable[[Sample], tuple[int, int]]) -> Count:
        """Events and their total, with what the pieces say of clumps."""
        return counted(*of(self.sample), [of(piece) for piece in self.pieces])


@dataclass(frozen=True)
class Tolerance:
    """How much more than stable's number is tolerated: a difference, or a factor."""

    more: float | None
    times: float | None

    def __bool__(self) -> bool:
        return self.more is not None or self.times is not None

    def allowed(self, base: float) -> float:
        """The greatest number of a candidate beside this one of stable's."""
        return base * self.times if self.times is not None else base + (self.more or 0.0)

    def text(self, unit: Callable[[float], str]) -> str:
        """As people read it, after stable's number."""
        if self.times is not None:
            return f"at most {self.times:g} times that wanted"
        return f"at most {unit(self.more or 0.0)} more wanted"

    def above(self, unit: Callable[[float], str]) -> str:
        """As people read it, before `stable's`."""
        return f"at most {self.times:g} times" if self.times is not None else f"at most {unit(self.more or 0.0)} above"


@dataclass(frozen=True)
class Metric:
    """A share of requests that is to be small."""

    name: str
    of: Callable[[Sample], tuple[int, int]]
    said: Callable[[Sample, Count], str]
    """The number as people read it, from a sample and its count."""


def rate(name: str, seen: Callable[[Sample], int]) -> Metric:
    """A share of all requests."""
    return Metric(
        name,
        lambda sample: (seen(sample), sample.requests),
        lambda _, count: f"{rate_text(count.rate)} ({count.seen} of {count.total})",
    )


ERRORS = rate("error rate", lambda sample: sample.errors)
CLIENT_ERRORS = rate("4xx rate", lambda sample: sample.client_errors)


def limit_of_rate(metric: Metric, stable: Track | None, candidate: Track, limit: float, level: float) -> Finding:
    """Are so many of them credible at the limit?"""
    ours = candidate.count(metric.of)
    finding = limited(metric.of, stable, ours, limit, level)
    said = f"{metric.name} {metric.said(candidate.sample, ours)}, at most {rate_text(limit)} wanted"
    return replace(
        finding,
        metric=metric.name,
        reason=f"{said} ({p_text(finding)}{_power(finding, ours, limit, level)}){finding.reason}",
        candidate=ours.rate if ours.total else None,
        limit=limit,
    )


def limited(
    of: Callable[[Sample], tuple[int, int]], stable: Track | None, ours: Count, limit: float, level: float
) -> Finding:
    """The exact binomial test. Where stable breaks the limit, too, the candidate must be worse than stable to fail."""
    p_value = math.exp(log_p(ours, limit))
    theirs = stable.count(of) if stable else None
    base = theirs.rate if theirs and theirs.total else None
    told, outcome = "", decided(p_value, math.exp(log_p(ours.alone, limit)), level)
    if outcome == "inconclusive":
        told = together(ours)
    elif outcome == "failed" and theirs and _breaks(theirs, limit) and not _worse(ours, theirs, level):
        outcome = "inconclusive"
        told = f"; stable breaks this limit, too ({theirs.seen} of {theirs.total}): a fault of both is nobody's"
    return Finding(metric="", outcome=outcome, reason=told, stable=base, p_value=p_value, level=level)


def _breaks(theirs: Count, limit: float) -> bool:
    return log_p(theirs, limit) <= math.log(CLEARLY)


def _worse(ours: Count, theirs: Count, level: float) -> bool:
    return excess(ours.at_least, theirs.at_most, lambda rate: rate) <= level


def log_p(count: Count, limit: float) -> float:
    return log_at_least(*count.at_least, limit)


def rate_against(metric: Metric, stable: Track, candidate: Track, tolerance: Tolerance, level: float) -> Finding:
    """Are so many more than stable's credible where what is tolerated is the truth?"""
    ours, theirs = candidate.count(metric.of), stable.count(metric.of)
    p_value = excess(ours.at_least, theirs.at_most, tolerance.allowed)
    alone = excess(ours.alone.at_least, theirs.alone.at_most, tolerance.allowed) if p_value > level else p_value
    outcome = decided(p_value, alone, level)
    limit = min(1.0, tolerance.allowed(theirs.rate))
    return Finding(
        metric=f"{metric.name} against stable",
        outcome=outcome,
        reason=f"{metric.name} {metric.said(candidate.sample, ours)} against stable's "
        f"{metric.said(stable.sample, theirs)}, {tolerance.text(points_text)} (p = {p_value:.2g})"
        + (together(ours) if outcome == "inconclusive" else ""),
        stable=theirs.rate if theirs.total else None,
        candidate=ours.rate if ours.total else None,
        limit=limit,
        p_value=p_value,
        level=level,
    )


def decided(p_value: float, alone: float, level: float) -> Outcome:
    """alone: the p-value, were each event for itself. What fails only so is no verdict: it is looked at longer."""
    return "failed" if p_value <= level else "inconclusive" if alone <= level else "passed"


def together(count: Count) -> str:
    return f"; they came about {count.clump:.2g} at a time, as one fault: more of them wanted for a verdict"


def _power(finding: Finding, ours: Count, limit: float, level: float) -> str:
    """Of a passed test, the smallest share that it would have found."""
    total = ours.at_least[1]
    if finding.outcome != "passed" or not total:
        return ""
    found = found_from(fewest(total, limit, level), total, POWER)
    return "; too few to find any fault" if found is None else f"; {rate_text(found)} would have been found"


def p_text(finding: Finding) -> str:
    return f"p = {finding.p_value:.2g}"

"""The tests of one look that measure times: percentiles against a limit, and against stable's. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from analysis.clumps import Count
from analysis.exact import combined, log_at_least, log_at_most
from analysis.findings import Tolerance, Track, decided, limited, log_p, p_text, together
from analysis.model import Finding, Sample
from analysis.thresholds import time_text
from status.counters.histogram import Histogram


def limit_of_time(share: float, stable: Track | None, candidate: Track, limit: float, level: float) -> Finding:
    """Are so many slow requests credible if the percentile is at the limit?"""
    name, times = f"p{share * 100:.0f}", candidate.sample.latency
    said = f"{name} {_time(times, share)}, at most {time_text(limit)} wanted"
    base = stable.sample.latency.percentile(share) if stable else None
    if not times.count:
        return Finding(
            metric=name,
            outcome="inconclusive",
            reason=f"{said}: not one request's time was measured",
            stable=base,
            limit=limit,
            level=level,
        )

    def slow(sample: Sample) -> tuple[int, int]:
        return sample.latency.over(limit), sample.latency.count

    ours = candidate.count(slow)
    finding = limited(slow, stable, ours, 1 - share, level)
    said = f"{said}: {ours.seen} of {ours.total} took longer"
    if finding.outcome == "passed" and (bucket := times.around(limit)):
        possible = replace(ours, seen=ours.seen + bucket.count)
        if log_p(possible, 1 - share) <= math.log(level):
            low, high = time_text(bucket.low), time_text(bucket.high)
            told = (
                f"; {bucket.count} took {low} to {high}, and no more is known: a limit of {low} or {high} can be judged"
            )
            finding = replace(finding, outcome="inconclusive", reason=told)
    return replace(
        finding,
        metric=name,
        reason=f"{said} ({p_text(finding)}){finding.reason}",
        stable=base,
        candidate=times.percentile(share),
        limit=limit,
    )


def time_against(share: float, stable: Track, candidate: Track, tolerance: Tolerance, level: float) -> Finding:
    """Is the candidate's percentile credible where what is tolerated beyond stable's is the truth?"""
    name = f"p{share * 100:.0f}"
    mine, base = candidate.sample.latency, stable.sample.latency
    said = f"{name} {_time(mine, share)} against stable's {_time(base, share)}, {tolerance.text(time_text)}"
    at = base.percentile(share)
    if not mine.count or at is None:
        short = f"{said}: {mine.count} and {base.count} times are too few to compare"
        return Finding(metric=f"{name} against stable", outcome="inconclusive", reason=short, level=level)
    limit = tolerance.allowed(at)
    ours = candidate.count(lambda sample: (sample.latency.over(limit), sample.latency.count))
    theirs = stable.count(lambda sample: (sample.latency.over(at), sample.latency.count))
    p_value = _slower(mine, base, tolerance.allowed, 1 - share, (ours.clump, theirs.clump))
    alone = _slower(mine, base, tolerance.allowed, 1 - share, (1.0, 1.0)) if p_value > level else p_value
    outcome = decided(p_value, alone, level)
    told = together(ours) if outcome == "inconclusive" else ""
    if combined(log_at_most(0, theirs.at_most[1], 1 - share), 0.0) > level:
        told += f"; {base.count} times of stable are too few to find any fault"
    return Finding(
        metric=f"{name} against stable",
        outcome=outcome,
        reason=f"{said} (p = {p_value:.2g}){told}",
        stable=at,
        candidate=mine.percentile(share),
        limit=limit,
        p_value=p_value,
        level=level,
    )


def _slower(
    ours: Histogram, theirs: Histogram, allowed: Callable[[float], float], share: float, clumps: tuple[float, float]
) -> float:
    """As `exact.excess`, over every time that stable's percentile may be: at each, a share of stable's requests takes
    at least that long, and the same share of the candidate's may take longer than what is allowed then.
    """

    def excuse(until: float, left: int) -> float:
        mine = Count(ours.over(allowed(until)), ours.count, clumps[0])
        base = Count(left, theirs.count, clumps[1])
        return log_at_least(*mine.at_least, share) + log_at_most(*base.at_most, share)

    return min(1.0, combined(max(excuse(until, left) for until, left in _levels(theirs)), 0.0))


def _levels(times: Histogram) -> Iterator[tuple[float, int]]:
    """Where stable's percentile may be: up to each end of a bucket, with the number of times that may be as long."""
    left = times.count
    for bucket in times.buckets:
        yield bucket.high, left
        left -= bucket.count
    yield math.inf, 0


def _time(times: Histogram, share: float) -> str:
    value = times.percentile(share)
    return "unknown" if value is None else time_text(value)

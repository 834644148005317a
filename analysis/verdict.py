"""Whether a candidate may go on: tests of its window against its limits and against stable's window. Pure.

Every test is exact at its level, and the level of a whole rollout is divided by the number of all its tests
(Bonferroni): looking at every step, at several metrics, does not add up to more false alarms than stated. A difference
from stable counts only when it is both significant and larger than what is tolerated, so that millions of requests do
not fail a candidate for a trifle.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping

from analysis.exact import binomial_at_least, fisher_greater, lower_rank, upper_rank
from analysis.model import Finding, Outcome, Sample, Thresholds, Verdict
from analysis.thresholds import points_text, rate_text, time_text

P95, P99 = 0.95, 0.99
_LIMITED = ("p95", "p99")
"""Metrics whose test needs a limit that somebody gave."""
Test = Callable[[float], Finding]
"""A test, given its level."""
ERRORS, CLIENT_ERRORS = "error rate", "4xx rate"
_COUNTED: Mapping[str, Callable[[Sample], int]] = {
    ERRORS: lambda sample: sample.errors,
    CLIENT_ERRORS: lambda sample: sample.client_errors,
}


def judge(
    stable: Sample | None,
    candidate: Sample,
    thresholds: Thresholds,
    looks: int,
    checked: Iterable[Finding] = (),
) -> Verdict:
    """The verdict on one window.

    stable: None when stable has no share: nothing to compare with, the candidate's own limits hold alone.
    looks: how many windows of this rollout are judged at most, windows without enough requests not counted (they test
    nothing): its number of steps. At least 1. Says for how many the level is shared.
    checked: what the extra checks said. One that failed fails the verdict whatever the number of requests.
    """
    if looks < 1:
        raise ValueError(f"{looks} looks given, at least 1 wanted")
    checked = tuple(checked)
    failed = tuple(finding.reason for finding in checked if finding.outcome == "failed")
    short = _too_few(stable, candidate, thresholds.min_requests)
    findings = checked
    if not short:
        tests = _tests(stable, candidate, thresholds)
        found = tuple(test(thresholds.level / (looks * len(tests))) for test in tests)
        failed += tuple(finding.reason for finding in found if finding.outcome == "failed")
        # A limit that was asked for and could not be tested is not kept to.
        short = tuple(f.reason for f in found if f.outcome == "inconclusive" and f.metric in _LIMITED)
        findings = (*found, *checked)
    outcome: Outcome = "failed" if failed else "inconclusive" if short else "passed"
    return Verdict(
        outcome=outcome,
        findings=findings,
        reasons=failed or short or tuple(finding.reason for finding in findings) or ("no limit was given",),
        stable=stable,
        candidate=candidate,
    )


def _too_few(stable: Sample | None, candidate: Sample, wanted: int) -> tuple[str, ...]:
    """Why there can be no verdict; empty: there can."""
    samples = {"the candidate": candidate, **({"stable": stable} if stable else {})}
    if not any(sample.requests for sample in samples.values()):
        return ("no traffic: not one request came in",)
    return tuple(
        f"{name} got {_requests(sample.requests)}, at least {wanted} wanted for a verdict"
        for name, sample in samples.items()
        if sample.requests < max(1, wanted)
    )


def _tests(stable: Sample | None, candidate: Sample, thresholds: Thresholds) -> list[Test]:
    tests: list[Test] = []
    rates = {ERRORS: thresholds.max_error_rate, CLIENT_ERRORS: thresholds.max_4xx_rate}
    for name, rate in rates.items():
        if rate is not None:
            tests.append(functools.partial(_rate, name, stable, candidate, rate))
    if (most := thresholds.max_p95) is not None:
        tests.append(lambda level: _latency(stable, candidate, P95, most, level))
    if (rarely := thresholds.max_p99) is not None:
        tests.append(lambda level: _latency(stable, candidate, P99, rarely, level))
    increases = {ERRORS: thresholds.max_error_increase, CLIENT_ERRORS: thresholds.max_4xx_increase}
    for name, more in increases.items():
        if stable and more is not None:
            tests.append(functools.partial(_rate_against, name, stable, candidate, more))
    if stable and (slower := thresholds.max_p95_increase) is not None:
        tests.append(lambda level: _latency_against(stable, candidate, slower, level))
    return tests


def _rate(name: str, stable: Sample | None, candidate: Sample, limit: float, level: float) -> Finding:
    """Exact binomial test: are so many of them credible at the limit?"""
    seen = _COUNTED[name](candidate)
    p_value = binomial_at_least(seen, candidate.requests, limit)
    return Finding(
        metric=name,
        outcome="failed" if p_value <= level else "passed",
        reason=f"{_share_text(name, candidate)}, at most {rate_text(limit)} wanted (p = {p_value:.2g})",
        stable=_share(name, stable) if stable else None,
        candidate=_share(name, candidate),
        limit=limit,
        p_value=p_value,
        level=level,
    )


def _rate_against(name: str, stable: Sample, candidate: Sample, more: float, level: float) -> Finding:
    """Fisher's exact test, and the tolerated difference."""
    ours, theirs = ((_COUNTED[name](sample), sample.requests) for sample in (candidate, stable))
    p_value = fisher_greater(ours, theirs)
    limit = (_share(name, stable) or 0.0) + more
    beyond = (_share(name, candidate) or 0.0) > limit
    return Finding(
        metric=f"{name} against stable",
        outcome="failed" if beyond and p_value <= level else "passed",
        reason=f"{_share_text(name, candidate)} against stable's {_share_text('', stable, name)}, "
        f"at most {points_text(more)} more wanted (p = {p_value:.2g})",
        stable=_share(name, stable),
        candidate=_share(name, candidate),
        limit=limit,
        p_value=p_value,
        level=level,
    )


def _latency(stable: Sample | None, candidate: Sample, share: float, limit: float, level: float) -> Finding:
    """Exact binomial test: are so many slow requests credible if the percentile is at the limit?"""
    name, times = _name(share), candidate.latency
    base = stable.latency.percentile(share) if stable else None
    if not times.count:
        unknown = f"{name} unknown, at most {time_text(limit)} wanted: not one request's time was measured"
        return Finding(metric=name, outcome="inconclusive", reason=unknown, stable=base, limit=limit, level=level)
    slow = times.over(limit)
    p_value = binomial_at_least(slow, times.count, 1 - share)
    return Finding(
        metric=name,
        outcome="failed" if p_value <= level else "passed",
        reason=f"{name} {_time(times.percentile(share))}, at most {time_text(limit)} wanted: {slow} of {times.count} "
        f"took longer (p = {p_value:.2g})",
        stable=base,
        candidate=times.percentile(share),
        limit=limit,
        p_value=p_value,
        level=level,
    )


def _latency_against(stable: Sample, candidate: Sample, slower: float, level: float) -> Finding:
    """Order statistics: does the lower bound of the candidate's percentile lie above the upper bound of stable's? Half
    of the level for each bound.
    """
    ours = lower_rank(candidate.latency.count, P95, level / 2)
    theirs = upper_rank(stable.latency.count, P95, level / 2)
    mine, base = candidate.latency.percentile(P95), stable.latency.percentile(P95)
    said = f"p95 {_time(mine)} against stable's {_time(base)}, at most {time_text(slower)} more wanted"
    limit = None if base is None else base + slower
    if ours is None or theirs is None or mine is None or limit is None:
        short = f"{said}: {candidate.latency.count} and {stable.latency.count} times are too few to compare"
        return Finding(metric="p95 against stable", outcome="inconclusive", reason=short, level=level)
    least, most = candidate.latency.at_rank(ours).low, stable.latency.at_rank(theirs).high
    return Finding(
        metric="p95 against stable",
        outcome="failed" if least > most and mine > limit else "passed",
        reason=f"{said} (with {1 - level:.4g} confidence it is at least {time_text(least)}, stable's at most "
        f"{time_text(most)})",
        stable=base,
        candidate=mine,
        limit=limit,
        level=level,
    )


def _name(share: float) -> str:
    return f"p{share * 100:.0f}"


def _share(name: str, sample: Sample) -> float | None:
    return _COUNTED[name](sample) / sample.requests if sample.requests else None


def _share_text(name: str, sample: Sample, counted: str = "") -> str:
    seen = _COUNTED[counted or name](sample)
    share = rate_text(_share(counted or name, sample) or 0.0)
    return f"{name} {share} ({seen} of {sample.requests})".strip()


def _time(value: float | None) -> str:
    return "unknown" if value is None else time_text(value)


def _requests(number: int) -> str:
    return "no request" if not number else f"{number} request{'s' if number > 1 else ''}"

"""Whether a candidate may go on: tests of its window against its limits and against stable's window. Pure.

What is tested is always whether the candidate may be within what is tolerated. Every test keeps its level, the level of
a whole rollout is divided by the number of all its tests (Bonferroni), and each look has its share of that
(`analysis.spending`): looking at every step, early and late, at several metrics, does not add up to more false alarms
than stated. A failure needs no number of requests; a pass does.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from analysis.clumps import LEAST_PIECES
from analysis.findings import (
    CLIENT_ERRORS,
    ERRORS,
    Test,
    Tolerance,
    Track,
    limit_of_rate,
    rate_against,
)
from analysis.model import Finding, Outcome, Pieces, Sample, Thresholds, Verdict
from analysis.times import limit_of_time, time_against

P95, P99 = 0.95, 0.99
_LIMITED = ("p95", "p99")
"""Metrics whose test needs a limit that somebody gave."""
_UNKNOWN = Pieces()


def judge(
    stable: Sample | None,
    candidate: Sample,
    thresholds: Thresholds,
    looks: float,
    checked: Iterable[Finding] = (),
    pieces: Pieces = _UNKNOWN,
) -> Verdict:
    """The verdict on one window.

    stable: None when stable has no share: nothing to compare with, the candidate's own limits hold alone.
    looks: for how many looks like this one the level is; at least 1: the number of steps, divided by the share of a
    step's level that this look may spend (`analysis.spending`).
    checked: what the extra checks said. One that failed fails the verdict whatever the number of requests.
    """
    if looks < 1:
        raise ValueError(f"{looks} looks given, at least 1 wanted")
    checked = tuple(checked)
    short = _too_few(stable, candidate, thresholds.min_requests)
    findings: tuple[Finding, ...] = ()
    if candidate.requests:
        tests = _tests(
            Track(stable, pieces.stable) if stable and stable.requests else None,
            Track(candidate, pieces.candidate),
            thresholds,
        )
        findings = tuple(test(thresholds.level / (looks * len(tests))) for test in tests)
    failed = tuple(f.reason for f in (*checked, *findings) if f.outcome == "failed")
    short += tuple(f.reason for f in (*findings, *checked) if _undecided(f))
    findings = (*findings, *checked)
    outcome: Outcome = "failed" if failed else "inconclusive" if short else "passed"
    return Verdict(
        outcome=outcome,
        findings=findings,
        reasons=failed or short or tuple(finding.reason for finding in findings) or ("no limit was given",),
        stable=stable,
        candidate=candidate,
    )


def failing(compared: bool, thresholds: Thresholds, looks: float, pieces: Pieces) -> Verdict | None:
    """A failure before the end of a window; None: there is none yet.

    It must be going on: what fails over all pieces must be beyond its limit in the last third of them, too, so that the
    first requests to a cold pod fail nobody by themselves.

    compared: whether stable has a share.
    looks: see `judge`.
    """
    mine, base = pieces.candidate, pieces.stable if compared else ()
    if sum(bool(piece.requests) for piece in mine) < LEAST_PIECES:
        return None
    verdict = judge(_sum(base), _sum(mine) or Sample(), thresholds, looks, (), Pieces(base, mine))
    if verdict.outcome != "failed":
        return None
    later = judge(_sum(base[len(base) * 2 // 3 :]), _sum(mine[len(mine) * 2 // 3 :]) or Sample(), thresholds, looks)
    beyond = {f.metric for f in later.findings if f.candidate is not None and f.candidate > (f.limit or 0.0)}
    return verdict if beyond & {f.metric for f in verdict.findings if f.outcome == "failed"} else None


def _sum(pieces: Sequence[Sample]) -> Sample | None:
    return functools.reduce(Sample.plus, pieces) if pieces else None


def _undecided(finding: Finding) -> bool:
    """Whether there is no verdict by a test that somebody asked for, or that had something to compare."""
    asked = finding.metric in _LIMITED or finding.metric.startswith("check ")
    return finding.outcome == "inconclusive" and (finding.p_value is not None or asked)


def _too_few(stable: Sample | None, candidate: Sample, wanted: int) -> tuple[str, ...]:
    """Why the candidate cannot pass; empty: it can."""
    samples = {"the candidate": candidate, **({"stable": stable} if stable else {})}
    if not any(sample.requests for sample in samples.values()):
        return ("no traffic: not one request came in",)
    return tuple(
        f"{name} got {_requests(sample.requests)}, at least {wanted} wanted to pass"
        for name, sample in samples.items()
        if sample.requests < max(1, wanted)
    )


def _tests(stable: Track | None, candidate: Track, thresholds: Thresholds) -> list[Test]:
    rates = (
        (ERRORS, thresholds.max_error_rate, Tolerance(thresholds.max_error_increase, thresholds.max_error_times)),
        (CLIENT_ERRORS, thresholds.max_4xx_rate, Tolerance(thresholds.max_4xx_increase, thresholds.max_4xx_times)),
    )
    tests: list[Test] = []
    for metric, most, tolerance in rates:
        if most is not None:
            tests.append(functools.partial(limit_of_rate, metric, stable, candidate, most))
        if stable and tolerance:
            tests.append(functools.partial(rate_against, metric, stable, candidate, tolerance))
    for percentile, limit in ((P95, thresholds.max_p95), (P99, thresholds.max_p99)):
        if limit is not None:
            tests.append(functools.partial(limit_of_time, percentile, stable, candidate, limit))
    slower = Tolerance(thresholds.max_p95_increase, thresholds.max_p95_times)
    if stable and slower:
        tests.append(functools.partial(time_against, P95, stable, candidate, slower))
    return tests


def _requests(number: int) -> str:
    return "no request" if not number else f"{number} request{'s' if number > 1 else ''}"

"""Exact tests of counts, and bounds of percentiles that need no assumption about the distribution. Pure.

Written out rather than imported: a few lines, held against scipy by the tests, instead of a library of 100 MB in every
installation.
"""

from __future__ import annotations

import math

_NEGLIGIBLE = 1e-18
"""A term this small beside the sum ends a series whose terms fall."""


def binomial_at_least(seen: int, total: int, rate: float) -> float:
    """Probability that at least `seen` of `total` independent events happen, each with probability `rate`."""
    if seen <= 0:
        return 1.0
    if seen > total or rate <= 0:
        return 0.0
    if rate >= 1:
        return 1.0
    if seen <= total * rate:  # the longer tail: by its complement, so that the series that is summed always falls
        return max(0.0, 1.0 - binomial_at_least(total - seen + 1, total, 1 - rate))
    term = math.exp(_log_choose(total, seen) + seen * math.log(rate) + (total - seen) * math.log1p(-rate))
    odds, summed = rate / (1 - rate), 0.0
    for k in range(seen, total + 1):
        summed += term
        if term < summed * _NEGLIGIBLE:
            break
        term *= (total - k) / (k + 1) * odds
    return min(1.0, summed)


def fisher_greater(candidate: tuple[int, int], stable: tuple[int, int]) -> float:
    """Fisher's exact test, one-sided: probability that the candidate has at least its number of events, were all events
    dealt to the two at random.

    candidate, stable: events and total of each.
    """
    (seen, ours), (theirs_seen, theirs) = candidate, stable
    events = seen + theirs_seen
    most = min(events, ours)
    whole = _log_choose(ours + theirs, events)
    terms = (
        math.exp(_log_choose(ours, k) + _log_choose(theirs, events - k) - whole)
        for k in range(max(seen, events - theirs), most + 1)
    )
    return min(1.0, math.fsum(terms))


def lower_rank(total: int, share: float, level: float) -> int | None:
    """Rank of the time that is above the true percentile with a probability of at most `level`: the percentile's lower
    confidence bound. None: too few times for any.

    share: of the percentile, between 0 and 1.
    """
    if not total or _at_most(0, total, share) > level:
        return None
    low, high = 1, total  # the greatest rank with P(at most rank - 1 below the percentile) <= level
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _at_most(middle - 1, total, share) <= level else (low, middle - 1)
    return low


def upper_rank(total: int, share: float, level: float) -> int | None:
    """Rank of the time that is below the true percentile with a probability of at most `level`: its upper confidence
    bound. None: too few times for any.
    """
    mirrored = lower_rank(total, 1 - share, level)
    return None if mirrored is None else total + 1 - mirrored


def _at_most(seen: int, total: int, rate: float) -> float:
    return binomial_at_least(total - seen, total, 1 - rate)


def _log_choose(total: int, chosen: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)

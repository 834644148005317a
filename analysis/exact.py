"""Exact probabilities of counts. Pure.

Written out rather than imported: a few lines, held against scipy by the tests, instead of a library of 100 MB in every
installation. In logarithms, so that what is nearly impossible does not become zero on the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable

_NEGLIGIBLE = 1e-18
"""A term this small beside the sum ends a series whose terms fall."""
_GOLDEN = (math.sqrt(5) - 1) / 2
_NARROWER = 34
"""Steps of the search for a maximum: each leaves 0.618 of the range, all of them less than a ten-millionth."""


def log_at_least(seen: int, total: int, rate: float) -> float:
    """Logarithm of the probability that at least `seen` of `total` independent events happen, each with probability
    `rate`.
    """
    if seen <= 0 or rate >= 1:
        return 0.0 if seen <= total else -math.inf
    if seen > total or rate <= 0:
        return -math.inf
    if seen <= total * rate:  # the longer tail: by its complement, so that the series that is summed always falls
        other = math.exp(log_at_least(total - seen + 1, total, 1 - rate))
        return math.log1p(-other) if other < 1 else -math.inf
    first = _log_choose(total, seen) + seen * math.log(rate) + (total - seen) * math.log1p(-rate)
    odds, term, summed = rate / (1 - rate), 1.0, 0.0
    for k in range(seen, total + 1):
        summed += term
        if term < summed * _NEGLIGIBLE:
            break
        term *= (total - k) / (k + 1) * odds
    return min(0.0, first + math.log(summed))


def log_at_most(seen: int, total: int, rate: float) -> float:
    """Logarithm of the probability that at most `seen` of them happen."""
    return log_at_least(total - seen, total, 1 - rate)


def combined(one: float, other: float) -> float:
    """The p-value of two independent tests together (R. A. Fisher, Statistical Methods for Research Workers, 1932).

    one, other: logarithms of their p-values.
    """
    both = one + other
    return math.exp(both) * (1 - both) if both > -math.inf else 0.0


def excess(candidate: tuple[int, int], stable: tuple[int, int], allowed: Callable[[float], float]) -> float:
    """Probability, at most, of numbers at least as bad as these when the candidate's rate is what stable's rate allows.

    For each rate that stable may have, two exact tests say whether stable's number is so low, and the candidate's so
    high, by chance; the rate that excuses the candidate most decides (the greatest p-value over the unknown rate:
    Berger and Boos, Journal of the American Statistical Association 89, 1994).

    candidate, stable: events and total of each.
    allowed: the greatest rate of the candidate where stable has a given one; linear, and rising.
    """
    (seen, ours), (seen_there, theirs) = candidate, stable
    if not ours or not theirs:
        return 1.0

    def excuse(rate: float) -> float:
        return log_at_least(seen, ours, min(1.0, allowed(rate))) + log_at_most(seen_there, theirs, rate)

    base = seen_there / theirs
    if seen / ours <= allowed(base):
        return combined(excuse(base), 0.0)
    return min(1.0, combined(_highest(excuse, base), 0.0))


def _highest(function: Callable[[float], float], start: float) -> float:
    """The greatest value from 0 to 1 of a function that rises, then falls (both tails are log-concave in the rate)."""
    low, high = 0.0, 1.0
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    best = max(function(start), at_left, at_right)
    for _ in range(_NARROWER):
        if at_left > at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
        best = max(best, at_left, at_right)
    return best


def fewest(total: int, rate: float, level: float) -> int:
    """The smallest number of events that has at most the probability `level` at this rate; `total` + 1: none has."""
    low, high = 0, total + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if log_at_least(middle, total, rate) <= math.log(level) else (middle + 1, high)
    return low


def found_from(seen: int, total: int, power: float) -> float | None:
    """The smallest rate at which at least `seen` of `total` events happen with a probability of `power`; None: none."""
    if seen > total:
        return None
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if log_at_least(seen, total, middle) >= math.log(power) else (middle, high)
    return high


def _log_choose(total: int, chosen: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)

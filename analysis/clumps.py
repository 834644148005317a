"""How far errors come together: a pod that restarts fails twenty requests, and is one event. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_PIECES = 3
"""Fewer pieces of a window do not say whether events come together."""
_WEIGHTS = (2 / 3, 1 / 3)
"""Of neighbours at a distance of one piece and of two (Bartlett's): a clump may lie across two or three pieces."""


@dataclass(frozen=True)
class Count:
    """Events of a total, such as failed requests of all."""

    seen: int
    total: int
    clump: float = 1.0
    """How many events happen together: the variance of their number over that of independent ones. At least 1."""

    @property
    def rate(self) -> float:
        """0 to 1; 0 without any."""
        return self.seen / self.total if self.total else 0.0

    @property
    def at_least(self) -> tuple[int, int]:
        """As many independent events, and their total; in doubt too few events."""
        return self._independent(math.floor(self.seen / self.clump + 1e-9))

    @property
    def at_most(self) -> tuple[int, int]:
        """The same; in doubt too many events."""
        return self._independent(math.ceil(self.seen / self.clump - 1e-9))

    def _independent(self, seen: int) -> tuple[int, int]:
        return seen, max(seen, round(self.total / self.clump))

    @property
    def alone(self) -> Count:
        """The same, were each event for itself."""
        return Count(self.seen, self.total)


def counted(seen: int, total: int, pieces: Sequence[tuple[int, int]]) -> Count:
    """A count, with what its pieces say of clumps.

    pieces: events and total of successive pieces of the window.
    """
    return Count(seen, total, _clump(pieces))


def _clump(pieces: Sequence[tuple[int, int]]) -> float:
    """The design effect of Rao and Scott ("A simple method for the analysis of clustered binary data", Biometrics 48,
    1992), with neighbouring pieces taken together as Newey and West do (Econometrica 55, 1987).
    """
    seen, total = (sum(numbers) for numbers in zip(*pieces, strict=True)) if pieces else (0, 0)
    if len(pieces) < LEAST_PIECES or not 0 < seen < total:
        return 1.0
    rate = seen / total
    beyond = [events - rate * number for events, number in pieces]
    variance = _products(beyond, 0)
    variance += sum(2 * weight * _products(beyond, gap) for gap, weight in enumerate(_WEIGHTS, 1))
    expected = total * rate * (1 - rate) * (len(pieces) - 1) / len(pieces)
    return max(1.0, variance / expected)


def _products(values: Sequence[float], gap: int) -> float:
    return sum(one * other for one, other in zip(values, itertools.islice(values, gap, None), strict=False))

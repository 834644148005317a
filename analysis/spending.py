"""How the level of a step is spent over its looks, so that looking often does not fail more good candidates. Pure.

Each look is a test with a share of the level of its own, and the shares add up to at most 1: then the looks together
keep the level, however they depend on each other (Bonferroni; the division ahead of time is the alpha spending of Lan
and DeMets, Biometrika 70, 1983). The end of the first interval has the largest share.
"""

from __future__ import annotations

from dataclasses import dataclass

EARLY_LOOKS = 10
"""Looks before the end of an interval, at most."""
_INTERVAL = 3 / 4
"""Of what is left of the level: for the interval that begins."""
_END = 3 / 4
"""Of that: for its end."""


@dataclass
class Spending:
    """The level of one step."""

    _left: float = 1.0
    _early: int = 0

    def early(self) -> float:
        """Share for a look before the end of an interval; 0: there were enough of them."""
        if self._early >= EARLY_LOOKS:
            return 0.0
        self._early += 1
        return self._left * _INTERVAL * (1 - _END) / EARLY_LOOKS

    def end(self) -> float:
        """Share for the look at the end of an interval. The next interval begins."""
        share = self._left * _INTERVAL * _END
        self._left *= 1 - _INTERVAL
        self._early = 0
        return share

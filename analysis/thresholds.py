"""Thresholds as people write them: a share is `1%`, a time is `500ms` or `0.5s`. A number without a unit is refused.

Pure.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Sequence

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")
_TIMES = re.compile(r"([0-9]+(?:\.[0-9]+)?)x")
_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s)")
NONE = "none"
WANTED_RATE = "a share with its unit, 0% to 100%, such as 1% or 0.5%"
WANTED_TIME = "a time with its unit, above 0, such as 500ms or 1.5s"


def rate(text: str) -> float:
    """A share from 0 to 1. Raises ValueError, with what was given and what is wanted."""
    found = _RATE.fullmatch(text.strip())
    if not found or float(found[1]) > 100:
        raise ValueError(f"{text!r} given, {WANTED_RATE} wanted")
    return float(found[1]) / 100


def increase(text: str, unit: Callable[[str], float]) -> tuple[float | None, float | None]:
    """What is tolerated beyond stable's number: a difference in its unit, or a factor such as `1.2x`; both None for
    `none`: no comparison. Raises ValueError, with what was given and what is wanted.
    """
    text = text.strip()
    if text == NONE:
        return None, None
    if found := _TIMES.fullmatch(text):
        return None, float(found[1])
    return unit(text), None


def milliseconds(text: str) -> float:
    """A time in milliseconds. Raises ValueError, with what was given and what is wanted."""
    found = _TIME.fullmatch(text.strip())
    if not found or not float(found[1]):
        raise ValueError(f"{text!r} given, {WANTED_TIME} wanted")
    return float(found[1]) * (1000 if found[2] == "s" else 1)


def nearest(limit: float, bounds: Sequence[float]) -> tuple[float, ...]:
    """The bounds below and above a limit that is none of them; empty: it is one, or there are no bounds."""
    if not bounds or limit in bounds:
        return ()
    place = bisect.bisect(bounds, limit)
    return tuple(bounds[max(0, place - 1) : place + 1])


def rate_text(value: float) -> str:
    """A share as people read it, and as `rate` takes it: `1%`, `0.25%`."""
    return f"{value * 100:.3g}%" if value < 1 else "100%"


def time_text(value: float) -> str:
    """A time in milliseconds as people read it, and as `milliseconds` takes it: `500ms`."""
    return f"{value:.3g}ms" if value < 100 else f"{value:.0f}ms"


def points_text(value: float) -> str:
    """A difference of two shares, 0 to 1, as people read it: `1 point`, `2.5 points`."""
    return f"{value * 100:.3g} point{'' if value == 0.01 else 's'}"

"""Thresholds as people write them: a share is `1%`, a time is `500ms` or `0.5s`. A number without a unit is refused.

Pure.
"""

from __future__ import annotations

import re

_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")
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


def increase(text: str) -> float | None:
    """A difference of two shares, as `rate`; None for `none`: no comparison. Raises ValueError."""
    return None if text.strip() == NONE else rate(text)


def milliseconds(text: str) -> float:
    """A time in milliseconds. Raises ValueError, with what was given and what is wanted."""
    found = _TIME.fullmatch(text.strip())
    if not found or not float(found[1]):
        raise ValueError(f"{text!r} given, {WANTED_TIME} wanted")
    return float(found[1]) * (1000 if found[2] == "s" else 1)


def rate_text(value: float) -> str:
    """A share as people read it, and as `rate` takes it: `1%`, `0.25%`."""
    return f"{value * 100:.3g}%" if value < 1 else "100%"


def time_text(value: float) -> str:
    """A time in milliseconds as people read it, and as `milliseconds` takes it: `500ms`."""
    return f"{value:.3g}ms" if value < 100 else f"{value:.0f}ms"


def points_text(value: float) -> str:
    """A difference of two shares, 0 to 1, as people read it: `1 point`, `2.5 points`."""
    return f"{value * 100:.3g} point{'' if value == 0.01 else 's'}"

"""Axes: round numbers, moments, and paths through points. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

MOST_TICKS = 9
_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)

Point = tuple[float, float]


def clock(seconds: float) -> str:
    """A duration as `1:05` or `2:00:00`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def steps(most: float) -> list[float]:
    """Round numbers from 0 to at least `most`, which is above 0."""
    rough = most / 3
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough * (1 - 1e-9))
    return [step * number for number in range(math.ceil(most / step - 1e-9) + 1)]


def moments(seconds: float) -> list[float]:
    step = next((time for time in _TIMES if seconds / time <= MOST_TICKS), _TIMES[-1])
    return [float(at) for at in range(0, math.floor(seconds) + 1, step)]


def path(runs: Iterable[Sequence[Point]]) -> str:
    """An SVG path through each run of points."""
    return " ".join("M" + " L".join(f"{x:g} {y:g}" for x, y in run) for run in runs if run)

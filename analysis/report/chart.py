"""The picture of a rollout: shares, error rate and latency over one axis of time, as numbers that a template draws.
Pure.

Drawn here rather than by a plotting library: the page's own style sheet colours it, light and dark, its texts are
texts, and a report costs no 60 MB of packages.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis.model import Sample
from analysis.report import axes
from analysis.report.story import P95, STABLE, Look, Piece, Story
from analysis.thresholds import rate_text, time_text

WIDTH, LEFT, RIGHT, TOP = 920.0, 62.0, 18.0, 46.0
HEIGHT, GAP = 128.0, 52.0
"""Of a panel, and between two."""
FAR = 3.0
"""A limit more than this many times above all values is told in words instead of flattening them."""

Text = Callable[[float], str]


@dataclass(frozen=True)
class Tick:
    """A place on an axis, and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Drawn:
    """One track's line in a panel."""

    track: str
    role: str
    """`stable`, `candidate` or `other`: its colour and stroke."""
    path: str
    dots: tuple[axes.Point, ...] = ()
    """Values without a neighbour, which no line shows."""


@dataclass(frozen=True)
class Panel:
    """One quantity over time."""

    title: str
    top: float
    bottom: float
    ticks: tuple[Tick, ...]
    lines: tuple[Drawn, ...]
    limit: Tick | None = None
    remark: str = ""


@dataclass(frozen=True)
class Mark:
    """A verdict on the axis of time."""

    at: float
    outcome: str
    title: str


@dataclass(frozen=True)
class Picture:
    """All panels, and what lies over them."""

    height: float
    panels: tuple[Panel, ...]
    times: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    description: str


def picture(story: Story) -> Picture:
    """The picture of a story."""
    limits = story.started.thresholds
    panels = (
        _shares(story),
        _measured(story, 1, "Error rate", lambda sample: sample.error_rate, limits.max_error_rate, rate_text),
        _measured(story, 2, "Latency, 95th percentile", _p95, limits.max_p95, time_text),
    )
    times = tuple(Tick(_x(story, at), axes.clock(at)) for at in axes.moments(story.seconds))
    marks = tuple(
        Mark(_x(story, look.at), look.judged.verdict.outcome, f"step {look.judged.step + 1}: {_told(look)}")
        for look in story.looks
    )
    ends = ", ".join(f"step {look.judged.step + 1} {look.judged.verdict.outcome}" for look in story.looks)
    what = f"Shares, error rate and latency of each track over {axes.clock(story.seconds)}."
    return Picture(panels[-1].bottom + 34, panels, times, marks, f"{what} {ends or 'No verdict'}.")


def _told(look: Look) -> str:
    return f"{look.judged.verdict.outcome}: {'; '.join(look.judged.verdict.reasons)}"


def _p95(sample: Sample) -> float | None:
    return sample.latency.percentile(P95)


def role(story: Story, track: str) -> str:
    """How a track is drawn."""
    return {STABLE: STABLE, story.started.candidate: "candidate"}.get(track, "other")


def _x(story: Story, at: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * at / _whole(story), 1)


def _whole(story: Story) -> float:
    """Seconds that the axis shows: a little more than the rollout took, so that its last change is seen."""
    return story.seconds * 1.03 or 1.0


def _place(index: int) -> tuple[float, float]:
    top = TOP + index * (HEIGHT + GAP)
    return top, top + HEIGHT


def _shares(story: Story) -> Panel:
    top, bottom = _place(0)

    def y(percent: float) -> float:
        return round(bottom - (bottom - top) * percent / 100, 1)

    lines = []
    for track in story.tracks:
        points: list[axes.Point] = []
        for at, shared in story.shares:
            share = shared.shares.get(track, 0)
            points += [(_x(story, at), points[-1][1])] if points else []
            points.append((_x(story, at), y(share)))
        if points:
            points.append((_x(story, _whole(story)), points[-1][1]))
        lines.append(Drawn(track, role(story, track), axes.path([points])))
    ticks = tuple(Tick(y(percent), f"{percent}%") for percent in (0, 50, 100))
    return Panel("Share of the requests", top, bottom, ticks, tuple(lines))


def _measured(
    story: Story, index: int, title: str, value: Callable[[Sample], float | None], limit: float | None, text: Text
) -> Panel:
    top, bottom = _place(index)
    series = {track: _values(story.pieces, track, value) for track in story.tracks}
    most = max((v for values in series.values() for _, v in values if v is not None), default=0.0)
    shown = limit is not None and limit <= FAR * most
    steps = axes.steps(max(most, limit or 0.0 if shown else 0.0) or limit or 1.0)

    def y(number: float) -> float:
        return round(bottom - (bottom - top) * number / steps[-1], 1)

    lines = []
    for track, values in series.items():
        runs = [
            [(_x(story, at), y(number)) for at, number in run if number is not None]
            for some, run in itertools.groupby(values, key=lambda each: each[1] is not None)
            if some
        ]
        alone = tuple(run[0] for run in runs if len(run) == 1)
        lines.append(Drawn(track, role(story, track), axes.path(run for run in runs if len(run) > 1), alone))
    remark = f"limit {text(limit)}" + ("" if shown else ", above the picture") if limit is not None else ""
    return Panel(
        title,
        top,
        bottom,
        tuple(Tick(y(step), text(step) if step else "0") for step in steps),
        tuple(lines),
        Tick(y(limit), text(limit)) if limit is not None and shown else None,
        remark,
    )


def _values(
    pieces: Sequence[Piece], track: str, value: Callable[[Sample], float | None]
) -> list[tuple[float, float | None]]:
    """A track's values at the middle of each piece; None where it had no requests, and where nobody measured."""
    values: list[tuple[float, float | None]] = []
    for before, piece in zip([None, *pieces], pieces, strict=False):
        if before and piece.begun - before.ended > piece.ended - piece.begun:
            values.append((before.ended, None))
        sample = piece.samples.get(track)
        values.append(((piece.begun + piece.ended) / 2, value(sample) if sample else None))
    return values

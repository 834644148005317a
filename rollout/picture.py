"""A rollout as its history tells it, and as a tree for people: tracks, shares, errors, latency, verdicts. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rich.text import Text
from rich.tree import Tree

from analysis.history import Ended, Event, Judged, Measured, Noted, Shared, Started
from analysis.model import Sample, Verdict

GOOD, WAITING, BAD, QUIET = "green", "yellow", "red", "dim"
POINTS = 40
"""Length of a sparkline, in readings."""
_BARS = "▁▂▃▄▅▆▇█"
_OUTCOMES = {"passed": ("✓", GOOD), "failed": ("✗", BAD), "inconclusive": ("?", WAITING)}


@dataclass
class Picture:
    """What is known of a rollout after some of its events."""

    started: Started | None = None
    shares: Mapping[str, int] = field(default_factory=dict)
    """Percent by track, as last updated."""
    where: str = ""
    readings: deque[Measured] = field(default_factory=lambda: deque(maxlen=POINTS))
    verdicts: list[tuple[int, Verdict]] = field(default_factory=list)
    note: str = ""
    ended: Ended | None = None

    def add(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case Started():
                self.started = event
            case Shared():
                self.shares, self.where = event.shares, event.why
            case Measured():
                self.readings.append(event)
            case Judged():
                self.verdicts.append((event.step, event.verdict))
            case Noted():
                self.note = event.text
            case Ended():
                self.ended = event

    @classmethod
    def of(cls, events: Iterable[Event]) -> Picture:
        """The picture after these events."""
        picture = cls()
        for event in events:
            picture.add(event)
        return picture


def sparkline(values: Iterable[float | None]) -> str:
    """Bars from 0 to the largest value; a blank where there is none. Pure."""
    known = list(values)
    most = max((value for value in known if value), default=0.0)
    bars = (" " if v is None else _BARS[round(v / most * (len(_BARS) - 1)) if most else 0] for v in known)
    return "".join(bars)


def tree(picture: Picture, left: float | None = None) -> Tree:
    """The picture for a terminal.

    left: seconds until the next verdict; None: nobody waits for one.
    """
    started = picture.started
    head = f"{started.service} {started.stable_version} → {started.candidate_version}" if started else "rollout"
    root = Tree(Text(f"{head}  {started.strategy if started else ''}", "bold"))
    countdown = f", verdict in {left:.0f} s" if left is not None else ""
    root.add(Text(f"{picture.where}{countdown}", WAITING if picture.ended is None else QUIET))
    for track, percent in picture.shares.items():
        _track(root, picture, track, percent)
    for step, verdict in picture.verdicts[-4:]:
        mark, style = _OUTCOMES[verdict.outcome]
        root.add(Text(f"{mark} step {step + 1}: {'; '.join(verdict.reasons)}", style))
    if picture.note:
        root.add(Text(picture.note, QUIET))
    if picture.ended:
        root.add(Text(ending(picture.ended), GOOD if picture.ended.ending == "promoted" else BAD))
    return root


def ending(ended: Ended) -> str:
    """The end in one sentence. Pure."""
    counted = "" if ended.user_requests is None else f"; {ended.user_errors} of {ended.user_requests:,} requests failed"
    why = f": {'; '.join(ended.reasons)}" if ended.reasons else ""
    return f"{ended.ending}{why}{counted}"


def _track(root: Tree, picture: Picture, track: str, percent: int) -> None:
    samples = [reading.samples.get(track, Sample()) for reading in picture.readings]
    last = list(picture.readings)[-1:]
    total = sum(sample.requests for reading in last for sample in reading.samples.values())
    seen = f"observed {100 * samples[-1].requests / total:3.0f} %" if total else "observed   – "
    branch = root.add(Text(f"{track:<10} wanted {percent:3d} %  {seen}"))
    rates = [sample.error_rate for sample in samples]
    latencies = [sample.latency.percentile(0.95) for sample in samples]
    branch.add(Text(f"errors {_last(rates, 100, '%'):>8}  {sparkline(rates)}", BAD if any(rates) else QUIET))
    branch.add(Text(f"p95    {_last(latencies, 1, 'ms'):>8}  {sparkline(latencies)}", QUIET))


def _last(values: list[float | None], factor: float, unit: str) -> str:
    known = [value for value in values if value is not None]
    return f"{known[-1] * factor:.1f} {unit}" if known else "–"

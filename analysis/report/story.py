"""A recorded history as a story: who, what, when, with which numbers. Pure; what a page and a text both tell."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import yaml

from analysis import AnalysisError
from analysis.history import Ended, Event, Judged, Measured, Noted, Shared, Started
from analysis.model import Sample

STABLE = "stable"
MOST_POINTS = 60
"""Of each line in a picture: shorter pieces of the timeline are put together."""
P95 = 0.95


@dataclass(frozen=True)
class Piece:
    """What each track did from one moment to the next, in seconds since the start."""

    begun: float
    ended: float
    samples: Mapping[str, Sample]


@dataclass(frozen=True)
class Look:
    """A verdict, and the shares that it was about."""

    at: float
    judged: Judged
    shares: Mapping[str, int]


@dataclass(frozen=True)
class Entry:
    """A line of the log."""

    at: float
    text: str


@dataclass(frozen=True)
class Line:
    """One line of the settings, compared with those of before."""

    kind: Literal["same", "gone", "new"]
    text: str


@dataclass(frozen=True)
class Story:
    """A rollout from its start to its end, or to where its history stops."""

    started: Started
    ended: Ended | None
    seconds: float
    shares: tuple[tuple[float, Shared], ...]
    looks: tuple[Look, ...]
    notes: tuple[tuple[float, Noted], ...]
    pieces: tuple[Piece, ...]
    settings: tuple[Line, ...]
    """Empty while there is no end."""

    @property
    def outcome(self) -> str:
        """In one or two words."""
        return self.ended.ending if self.ended else "not ended"

    @property
    def tracks(self) -> tuple[str, ...]:
        """Stable, the candidate, and whatever else had a share or was measured."""
        seen = [STABLE, self.started.candidate]
        for _, shared in self.shares:
            seen += shared.shares
        for piece in self.pieces:
            seen += piece.samples
        return tuple(dict.fromkeys(seen))

    @property
    def log(self) -> tuple[Entry, ...]:
        """Every change of the traffic, every verdict and every note, in the order of time."""
        entries = [Entry(at, f"{note.text}") for at, note in self.notes]
        for at, shared in self.shares:
            shares = ", ".join(f"{track} {percent}%" for track, percent in shared.shares.items())
            took = f" (update took {shared.seconds:.1f} s)" if shared.seconds is not None else ""
            entries.append(Entry(at, f"{shared.why + ': ' if shared.why else ''}{shares}{took}"))
        for look in self.looks:
            verdict = look.judged.verdict
            why = f": {'; '.join(verdict.reasons)}" if verdict.outcome != "passed" else ""
            told = f"step {look.judged.step + 1} {verdict.outcome}{why}"
            entries.append(Entry(look.at, told))
        if self.ended:
            entries.append(Entry(self.seconds, self.outcome))
        return tuple(sorted(entries, key=lambda entry: entry.at))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it ended as it did."""
        return self.ended.reasons if self.ended else ()


def story(events: Sequence[Event]) -> Story:
    """The story of a history. Raises AnalysisError where it does not begin with a start."""
    if not events or not isinstance(events[0], Started):
        raise AnalysisError("The history does not begin with the start of a rollout: nothing to report")
    started = events[0]
    ended = next((event for event in reversed(events) if isinstance(event, Ended)), None)

    def since(moment: datetime) -> float:
        return max(0.0, (moment - started.at).total_seconds())

    shares: list[tuple[float, Shared]] = []
    looks: list[Look] = []
    for event in events:
        if isinstance(event, Shared):
            shares.append((since(event.at), event))
        elif isinstance(event, Judged):
            looks.append(Look(since(event.at), event, shares[-1][1].shares if shares else {}))
    measured = [
        Piece(max(0.0, since(event.at) - event.seconds), since(event.at), event.samples)
        for event in events
        if isinstance(event, Measured)
    ]
    return Story(
        started=started,
        ended=ended,
        seconds=max((since(event.at) for event in events), default=0.0),
        shares=tuple(shares),
        looks=tuple(looks),
        notes=tuple((since(event.at), event) for event in events if isinstance(event, Noted)),
        pieces=tuple(_coarser(measured)),
        settings=tuple(_compared(started.settings, ended.settings)) if ended else (),
    )


def _coarser(pieces: Sequence[Piece]) -> list[Piece]:
    """Neighbours put together, so that no more than MOST_POINTS are left."""
    together = math.ceil(len(pieces) / MOST_POINTS) or 1
    groups = [pieces[first : first + together] for first in range(0, len(pieces), together)]
    return [Piece(group[0].begun, group[-1].ended, _sum([piece.samples for piece in group])) for group in groups]


def _sum(samples: Sequence[Mapping[str, Sample]]) -> dict[str, Sample]:
    summed: dict[str, Sample] = {}
    for each in samples:
        for track, sample in each.items():
            summed[track] = summed[track].plus(sample) if track in summed else sample
    return summed


def _compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Line]:
    old, new = (yaml.safe_dump(dict(given)).splitlines() if given else [] for given in (before, after))
    kinds: Mapping[str, Literal["same", "gone", "new"]] = {"  ": "same", "- ": "gone", "+ ": "new"}
    return [Line(kinds[line[:2]], line[2:]) for line in difflib.ndiff(old, new) if line[:2] in kinds]

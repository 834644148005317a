"""What lies between two readings of a window, and what all of a rollout's readings add up to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analysis.history import Event, Measured
from analysis.model import Sample

MOST_PIECES = 240
"""Of a window: a day of seconds is put together to these."""


def between(before: Mapping[str, Sample], now: Mapping[str, Sample]) -> dict[str, Sample]:
    """The sample of each track from one reading to the next."""
    return {track: sample.since(before.get(track, Sample())) for track, sample in now.items()}


def with_piece(pieces: tuple[Sample, ...], piece: Sample) -> tuple[Sample, ...]:
    """The pieces of a window and one more; of too many, each two neighbours become one."""
    pieces = (*pieces, piece)
    if len(pieces) <= MOST_PIECES:
        return pieces
    return tuple(one.plus(other) for one, other in zip(pieces[::2], (*pieces[1::2], Sample()), strict=False))


def totals(events: Iterable[Event]) -> tuple[int, int]:
    """All requests of users that were measured, and how many of them failed."""
    requests = errors = 0
    for event in events:
        for sample in event.samples.values() if isinstance(event, Measured) else ():
            if sample.origin == "user":
                requests, errors = requests + sample.requests, errors + sample.errors
    return requests, errors

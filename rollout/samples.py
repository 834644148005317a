"""What lies between two readings of a window, and what all of a rollout's readings add up to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analysis.histogram import Histogram, difference
from analysis.history import Event, Measured
from analysis.model import Sample


def between(before: Mapping[str, Sample], now: Mapping[str, Sample]) -> dict[str, Sample]:
    """The sample of each track from one reading to the next."""
    return {track: _between(before.get(track, Sample()), sample) for track, sample in now.items()}


def _between(before: Sample, now: Sample) -> Sample:
    return Sample(
        requests=max(0, now.requests - before.requests),
        errors=max(0, now.errors - before.errors),
        client_errors=max(0, now.client_errors - before.client_errors),
        latency=difference(now.latency.buckets, before.latency.buckets) or Histogram(),
        origin=now.origin,
        seconds=now.seconds - before.seconds,
        notes=now.notes,
    )


def totals(events: Iterable[Event]) -> tuple[int, int]:
    """All requests of users that were measured, and how many of them failed."""
    requests = errors = 0
    for event in events:
        for sample in event.samples.values() if isinstance(event, Measured) else ():
            if sample.origin == "user":
                requests, errors = requests + sample.requests, errors + sample.errors
    return requests, errors

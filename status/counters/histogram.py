"""A histogram of times, and what it says for certain. Pure.

A gateway gives counts of intervals, a prober single times: both are buckets here, a single time as one without width.
Where a limit lies inside a bucket, only what is certain is counted against a candidate.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Bucket:
    """So many times from `low` to `high`, in milliseconds."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Histogram:
    """Times in milliseconds, as buckets that rise and do not overlap."""

    buckets: tuple[Bucket, ...] = ()

    @classmethod
    def of(cls, times: Iterable[float]) -> Histogram:
        """The histogram of single times."""
        grouped = itertools.groupby(sorted(times))
        return cls(tuple(Bucket(time, time, sum(1 for _ in same)) for time, same in grouped))

    @property
    def count(self) -> int:
        """How many times there are."""
        return sum(bucket.count for bucket in self.buckets)

    def over(self, limit: float) -> int:
        """How many times are certainly above a limit: those of buckets that begin at or above it (a single time: above
        it).
        """
        return sum(b.count for b in self.buckets if b.low > limit or (b.low == limit and b.high > limit))

    def around(self, limit: float) -> Bucket | None:
        """The bucket that a limit lies inside of, if any: how many of its times are above the limit is not known."""
        return next((b for b in self.buckets if b.low < limit < b.high), None)

    def at_rank(self, rank: int) -> Bucket:
        """The bucket of the rank-th smallest time, 1 to `count`."""
        if not 1 <= rank <= self.count:
            raise ValueError(f"rank {rank} of {self.count} times")
        ends = list(itertools.accumulate(bucket.count for bucket in self.buckets))
        return self.buckets[bisect.bisect_left(ends, rank)]

    def percentile(self, share: float) -> float | None:
        """The smallest time that at least this share (above 0, at most 1) of all does not exceed; the middle of its
        bucket. None without times.
        """
        if not self.count:
            return None
        bucket = self.at_rank(max(1, math.ceil(share * self.count - 1e-9)))
        return (bucket.low + bucket.high) / 2

    def plus(self, other: Histogram) -> Histogram:
        """Both together. Their buckets are the same or apart; those of one gateway always are."""
        counts: dict[tuple[float, float], int] = {}
        for bucket in (*self.buckets, *other.buckets):
            counts[bucket.low, bucket.high] = counts.get((bucket.low, bucket.high), 0) + bucket.count
        return _histogram(counts)

    def without(self, other: Histogram) -> Histogram:
        """This histogram less the times of another one, which are some of its own, measured elsewhere: each is taken
        from the nearest bucket that has one left. The numbers are right; the times as near as the two measurements are.
        """
        left = [[bucket.low, bucket.high, bucket.count] for bucket in self.buckets]
        for gone in reversed(other.buckets):
            _take(left, (gone.low + gone.high) / 2, gone.count)
        return _histogram({(low, high): int(count) for low, high, count in left})


def _take(left: list[list[float]], time: float, number: int) -> None:
    """Take a number of times, nearest buckets first."""
    for bucket in sorted(left, key=lambda b: max(b[0] - time, time - b[1], 0.0)):
        taken = min(number, int(bucket[2]))
        bucket[2] -= taken
        number -= taken


def _histogram(counts: dict[tuple[float, float], int]) -> Histogram:
    return Histogram(tuple(Bucket(low, high, count) for (low, high), count in sorted(counts.items()) if count))


def difference(now: Sequence[Bucket], before: Sequence[Bucket]) -> Histogram | None:
    """What came in between two readings of one growing histogram; None when it began anew: some bucket shrank."""
    counts = {(bucket.low, bucket.high): bucket.count for bucket in now}
    for bucket in before:
        counts[bucket.low, bucket.high] = counts.get((bucket.low, bucket.high), 0) - bucket.count
    return _histogram(counts) if all(count >= 0 for count in counts.values()) else None

"""Growing counts, and what came in between two readings of them. Pure.

A counter that shrank belongs to a process that began anew: what it says now came in since then. What it had counted
between the reading before and its end is lost; reading often keeps that small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from status.counters.histogram import Histogram, difference


@dataclass(frozen=True)
class Counted:
    """What one process says of one revision since its beginning."""

    requests: int = 0
    """Those with an answer."""
    errors: int = 0
    latency: Histogram = field(default_factory=Histogram)
    begun: int = 0
    """Those that were sent on to the revision, answered or not; 0 from a process that does not say."""
    waiting: int = 0
    """Those that wait for the end of their answer at this moment; between two readings, how many more. In a tally, how
    many there are at its last reading.
    """
    client_errors: int = 0
    """Those with a status of 400 to 499."""

    @property
    def given_up(self) -> int:
        """Requests of a tally that ended without any answer. In doubt too few: an answer without a pod, and one that is
        still being sent, hide one each.
        """
        return max(0, self.begun - self.requests - max(0, self.waiting))

    def since(self, before: Counted) -> Counted | None:
        """What came in since an earlier reading; None when the process began anew in between."""
        latency = difference(self.latency.buckets, before.latency.buckets)
        growing = ("requests", "errors", "client_errors")
        if latency is None or any(getattr(self, name) < getattr(before, name) for name in growing):
            return None
        return Counted(
            self.requests - before.requests,
            self.errors - before.errors,
            latency,
            self.begun - before.begun,
            self.waiting - before.waiting,
            self.client_errors - before.client_errors,
        )

    def plus(self, other: Counted) -> Counted:
        """Both together."""
        return Counted(
            self.requests + other.requests,
            self.errors + other.errors,
            self.latency.plus(other.latency),
            self.begun + other.begun,
            self.waiting + other.waiting,
            self.client_errors + other.client_errors,
        )


Reading = Mapping[str, Mapping[str, Counted] | None]
"""Of each process (a pod), what it says of each revision; None: the process is there, but did not answer."""


@dataclass
class Tally:
    """The sums of many readings of the same processes, by revision."""

    totals: dict[str, Counted] = field(default_factory=dict)
    restarted: set[str] = field(default_factory=set)
    """Processes that began anew."""
    silent: set[str] = field(default_factory=set)
    """Processes that at some reading did not answer."""
    _last: dict[str, Mapping[str, Counted] | None] = field(default_factory=dict)
    _begun: bool = False

    def add(self, reading: Reading) -> None:
        """Add what came in since the reading before; the first one is where counting begins.

        A process that was not there at the first reading counts from its own beginning; one that was there without
        an answer, from its first answer.
        """
        for process, now in reading.items():
            if now is None:
                self.silent.add(process)
                self._last.setdefault(process, None)
                continue
            before = self._last.get(process, {} if self._begun else None)
            for revision, counted in now.items():
                if before is None:
                    self._plus(revision, Counted(waiting=counted.waiting))
                else:
                    self._add(process, revision, counted, before.get(revision, Counted()))
            self._last[process] = now
        self._begun = True

    def _add(self, process: str, revision: str, now: Counted, before: Counted) -> None:
        came = now.since(before)
        if came is None:
            self.restarted.add(process)
            came = now
        self._plus(revision, came)

    def _plus(self, revision: str, more: Counted) -> None:
        self.totals[revision] = self.totals.get(revision, Counted()).plus(more)

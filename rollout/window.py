"""A window of observation, read again and again: in its interval, and on while the next update runs, so that what users
see of a change is counted as well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from analysis import AnalysisError
from analysis.history import Measured, Noted
from analysis.model import Sample
from rollout.ports import Analyst, View
from rollout.samples import between

TICK_SECONDS = 1.0
MOST_TOLD = 300
"""Readings of an interval that the history gets: a day's would be 86,400. Those in between go into the next one."""


class Window:
    """A window that has begun."""

    def __init__(self, analyst: Analyst, view: View, source: str, clock: Callable[[], float], interval: float) -> None:
        """
        source: its name, for the events.
        interval: in seconds.
        """
        self.source = source
        self._analyst, self._view, self._clock = analyst, view, clock
        self._every = interval / MOST_TOLD
        self._last: Mapping[str, Sample] = analyst.read()
        self._last_at = clock()
        self._told, self._told_at = self._last, self._last_at

    def read(self) -> None:
        """Read what came in, and tell it when it is time. Raises AnalysisError."""
        self._last, self._last_at = self._analyst.read(), self._clock()
        if self._last_at - self._told_at >= self._every:
            self.tell()

    def tell(self) -> None:
        """Tell what came in since it was told last."""
        if self._last is self._told:
            return
        self._view.event(
            Measured(
                at=datetime.now(UTC),
                seconds=self._last_at - self._told_at,
                source=self.source,
                samples=between(self._told, self._last),
            )
        )
        self._told, self._told_at = self._last, self._last_at

    @contextmanager
    def read_meanwhile(self) -> Iterator[None]:
        """Read on, while the caller does something else. Windows of probes are not: nobody's requests are in them."""
        if not any(sample.origin == "user" for sample in self._last.values()):
            yield
            return
        stop = threading.Event()
        thread = threading.Thread(target=self._read_until, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self.tell()
        self._read_or_note()
        self.tell()

    def _read_until(self, stop: threading.Event) -> None:
        while not stop.wait(TICK_SECONDS) and self._read_or_note():
            pass

    def _read_or_note(self) -> bool:
        try:
            self.read()
        except AnalysisError as error:
            self._view.event(Noted(at=datetime.now(UTC), text=f"not counted during the update: {error}"))
            return False
        return True

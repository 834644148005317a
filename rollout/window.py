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


class Window:
    """A window that has begun."""

    def __init__(self, analyst: Analyst, view: View, source: str, clock: Callable[[], float]) -> None:
        """source: its name, for the events."""
        self.source = source
        self._analyst, self._view, self._clock = analyst, view, clock
        self._last: Mapping[str, Sample] = analyst.read()
        self._last_at = clock()

    def read(self) -> None:
        """Tell what came in since the last reading. Raises AnalysisError."""
        samples, at = self._analyst.read(), self._clock()
        self._view.event(
            Measured(
                at=datetime.now(UTC),
                seconds=at - self._last_at,
                source=self.source,
                samples=between(self._last, samples),
            )
        )
        self._last, self._last_at = samples, at

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
        self._read_or_note()

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

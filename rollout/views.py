"""Who is told what happens in a rollout: a person at a terminal, a log, a script, and the history file."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.live import Live

from analysis.history import Ended, Event, Judged, Measured, Noted, Shared, Started, events, line
from rollout.picture import Picture, ending, tree
from rollout.ports import View


class Journal:
    """The history of one rollout: a file that is only appended to, closed to others."""

    def __init__(self, folder: Path, identity: str) -> None:
        """folder: exists."""
        self.file = folder / f"{identity}.jsonl"
        self._whole = False

    def event(self, event: Event) -> None:
        """Append it, whole or not at all; it is kept when the process is killed a moment later. Raises OSError."""
        text = line(event).encode()
        file = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if not self._whole:
                _cut(file)
                self._whole = True
            before = os.fstat(file).st_size
            if os.write(file, text) < len(text):
                os.ftruncate(file, before)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.file))
        finally:
            os.close(file)

    def tick(self, left: float) -> None:
        """A moment is no event."""

    def events(self) -> Iterator[Event]:
        """Those so far, read as they are asked for; none where nothing was written. Raises AnalysisError."""
        return events(self.file) if self.file.exists() else iter(())


def _cut(file: int) -> None:
    """Take away a last line that a killed tool did not finish: it is no event."""
    end = 0
    with open(os.dup(file), "rb") as lines:
        lines.seek(0)
        for text in lines:
            end += len(text) if text.endswith(b"\n") else 0
    os.ftruncate(file, end)


class Lines:
    """One plain line for each event: for logs and pipes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def event(self, event: Event) -> None:
        """Write it, unless it is a mere reading."""
        text = told(event)
        if text:
            print(f"{event.at.astimezone():%H:%M:%S}  {text}", file=self._out, flush=True)

    def tick(self, left: float) -> None:
        """A log has no countdown."""


class JsonLines:
    """Each event as a line of JSON, as the history has it."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def event(self, event: Event) -> None:
        """Write it."""
        self._out.write(line(event))
        self._out.flush()

    def tick(self, left: float) -> None:
        """Not told to scripts."""


class Screen:
    """A tree that changes in place, with a countdown."""

    def __init__(self, console: Console, events: Iterable[Event] = ()) -> None:
        self._picture = Picture.of(events)
        self._live = Live(tree(self._picture), console=console, auto_refresh=False)

    def __enter__(self) -> Screen:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # nobody looks any more
            self._live.stop()

    def event(self, event: Event) -> None:
        """Redraw with it."""
        self._picture.add(event)
        self._live.update(tree(self._picture), refresh=True)

    def tick(self, left: float) -> None:
        """Redraw with the countdown."""
        self._live.update(tree(self._picture, left), refresh=True)


class Both:
    """Several views as one. A full disk, or a terminal that is gone, stops no rollout: the others are told, once."""

    def __init__(self, *views: View) -> None:
        self._views = views
        self._failed: set[int] = set()

    def event(self, event: Event) -> None:
        """To each, in order."""
        self._each(lambda view: view.event(event))

    def tick(self, left: float) -> None:
        """To each, in order."""
        self._each(lambda view: view.tick(left))

    def _each(self, tell: Callable[[View], None]) -> None:
        for number, view in enumerate(self._views):
            try:
                tell(view)
            except (OSError, ValueError) as error:  # also text that a terminal's encoding does not have
                if number not in self._failed:
                    self._failed.add(number)
                    lost = f"{type(view).__name__}: events are lost from here on ({error}); the rollout goes on"
                    self.event(Noted(at=datetime.now(UTC), text=lost))


def told(event: Event) -> str:
    """An event in one line for people; nothing for a mere reading. Pure."""
    match event:
        case Started():
            steps = ", ".join(f"{step} %" for step in event.steps)
            return (
                f"{event.service}: {event.strategy} from {event.stable_version} to {event.candidate_version}, "
                f"steps {steps}, {event.interval_seconds:g} s each"
            )
        case Shared():
            shares = ", ".join(f"{track} {percent} %" for track, percent in event.shares.items())
            took = f" (update {event.seconds:.1f} s)" if event.seconds is not None else ""
            return f"{event.why}: {shares}{took}"
        case Judged():
            return f"step {event.step + 1} {event.verdict.outcome}: {'; '.join(event.verdict.reasons)}"
        case Noted():
            return event.text
        case Ended():
            return ending(event)
        case Measured():
            return ""

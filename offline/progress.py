"""What a person sees of the build: which steps run and for how long, how many of how many are done.

On a terminal the running steps stand below the finished ones and count their seconds; elsewhere each start, end and
every minute in between is a line.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

HEARTBEAT_SECONDS: Final = 60.0


class Report:
    """Tells of steps as they start and end; a context manager, since a terminal needs to be left clean."""

    def __init__(self, total: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._total, self._done = total, 0
        self._running: dict[str, tuple[float, TaskID]] = {}
        self._overall = self._progress.add_task(self._count(), total=None)
        self._begun = self._last_sign = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def started(self, title: str) -> None:
        """A step has begun."""
        self._running[title] = (time.monotonic(), self._progress.add_task(title, total=None))
        if not self._console.is_terminal:
            self._say(f"[{self._count()}] {title} ...")

    def ended(self, title: str, *, well: bool = True) -> None:
        """A step has ended, well or not."""
        begun, task = self._running.pop(title)
        self._progress.remove_task(task)
        self._done += well
        self._progress.update(self._overall, description=self._count())
        self._say(f"[{self._count()}] {title}: {'done' if well else 'FAILED'} in {seconds(time.monotonic() - begun)}")

    def still_running(self) -> None:
        """Time goes by: says so once a minute where nothing on the screen does."""
        now = time.monotonic()
        if self._running and not self._console.is_terminal and now - self._last_sign >= HEARTBEAT_SECONDS:
            steps = ", ".join(f"{title} ({seconds(now - begun)})" for title, (begun, _) in self._running.items())
            self._say(f"[{self._count()}] still at it: {steps}; {seconds(now - self._begun)} in all")

    def finish(self) -> None:
        """Everything is done: the closing line."""
        self._say(f"All {self._total} steps done in {seconds(time.monotonic() - self._begun)}.")

    def _count(self) -> str:
        return f"{self._done} of {self._total} done"

    def _say(self, line: str) -> None:
        self._last_sign = time.monotonic()
        self._console.print(line, markup=False, soft_wrap=True)


def seconds(duration: float) -> str:
    """A duration in seconds, as people read it: `0.4 s`, `42 s`, `8 min 27 s`."""
    if duration < 10:
        return f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

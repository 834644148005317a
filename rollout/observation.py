"""The observation of a step: intervals, each read as it goes and judged at its end, until something is decided.

What a source does not say for a moment is not lost: its counts grow, so the next reading has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from analysis import AnalysisError
from analysis.history import Judged, Noted
from analysis.model import Verdict
from analysis.spending import EARLY_LOOKS
from rollout import machine
from rollout.ports import Analyst, View
from rollout.window import TICK_SECONDS, Window
from rollout.wishes import Wish
from rollout.wording import described, first_lines
from settings.rollouts import Rollout
from settings.types import seconds

AGAIN_SECONDS = 5.0
"""Until a source that does not answer is asked again for the beginning of a window."""
LAST_SECONDS = 30.0
"""How long the last reading of an interval is tried again."""


@dataclass
class Observation:
    """Who looks at one rollout's steps."""

    analyst: Analyst
    view: View
    wish: Callable[[], Wish | None]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    window: Window | None = field(default=None, init=False)
    """The last one that began; None: none that still can be read."""

    def of(self, rollout: Rollout, outputs: Mapping[str, Any]) -> Rollout | Wish:
        """What the step leads to, or the wish of a person that came before.

        outputs: of the update that made the step.
        """
        reasons: tuple[str, ...] = ()
        self.window = None
        for look in range(1, rollout.patience + 2):
            found = self._look(rollout, outputs)
            if isinstance(found, Wish):
                return found
            if isinstance(found, AnalysisError):
                reasons = (str(found),)
                self._note(f"no numbers: {found}")
                continue
            source = self.window.source if self.window else ""
            self.view.event(Judged(at=_now(), step=rollout.progress.step, look=look, source=source, verdict=found))
            reasons = found.reasons
            if found.outcome == "passed":
                return machine.passed(rollout)
            if found.outcome == "failed":
                return machine.failed(rollout, f"{described(rollout)}: {first_lines(reasons)}")
        waited = f"no verdict after {rollout.patience + 1} intervals of {rollout.interval}"
        return machine.paused(rollout, f"{waited}: {first_lines(reasons)}")

    def _look(self, rollout: Rollout, outputs: Mapping[str, Any]) -> Verdict | Wish | AnalysisError:
        """One interval, and what it says; without numbers, the next one begins with a new window."""
        try:
            return self._begin(rollout, outputs) or self._interval(rollout) or self.analyst.judge()
        except AnalysisError as error:
            if self.window:
                self.window.tell()
            self.window = None
            return error

    def _begin(self, rollout: Rollout, outputs: Mapping[str, Any]) -> Wish | None:
        """See to it that there is a window. Raises AnalysisError where none begins within an interval."""
        end = self.clock() + seconds(rollout.interval)
        told = False
        while not self.window:
            try:
                source = self.analyst.begin(outputs, rollout)
                self.window = Window(self.analyst, self.view, source, self.clock, seconds(rollout.interval))
            except AnalysisError as error:
                left = end - self.clock()
                if left <= 0:
                    raise
                if not told:
                    self._note(f"no numbers yet, asked again: {error}")
                told = True
                if wish := self._wait(min(AGAIN_SECONDS, left)):
                    return wish
        return None

    def _interval(self, rollout: Rollout) -> Wish | Verdict | None:
        """One interval of the window, read as it goes; a wish or a failure ends it early. A reading that fails is told,
        and made up for by the next; the last one is tried again for a while. Raises AnalysisError where that fails.
        """
        if not self.window:
            raise ValueError("an interval without a window")
        end = self.clock() + seconds(rollout.interval)
        every = seconds(rollout.interval) / (EARLY_LOOKS + 1)
        look = self.clock() + every
        failed: AnalysisError | None = None
        told = False
        while (left := (end + LAST_SECONDS if failed else end) - self.clock()) > 0:
            self.view.tick(left)
            if wish := self._wait(min(TICK_SECONDS, left)):
                return wish
            try:
                self.window.read()
                failed = None
                if look <= self.clock() < end:
                    look = self.clock() + every
                    if found := self.analyst.early():
                        self.window.tell()
                        return found
            except AnalysisError as error:
                failed = error
                if not told:
                    self._note(f"not read for a moment: {error}")
                told = True
        if failed:
            raise failed
        self.window.tell()
        return None

    def _wait(self, duration: float) -> Wish | None:
        end = self.clock() + duration
        while (left := end - self.clock()) > 0:
            if wish := self.wish():
                return wish
            self.sleep(min(TICK_SECONDS, left))
        return self.wish()

    def _note(self, text: str) -> None:
        self.view.event(Noted(at=_now(), text=text))


def _now() -> datetime:
    return datetime.now(UTC)

"""Drives a rollout: the settings of a state, the update that makes them real, the window that is judged, and on.

Whatever was interrupted, and wherever: the settings say what is wanted, an update makes it so (again, if it was so),
and a step that had no verdict is observed anew. Knows neither pulumi nor the terminal nor where numbers come from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from analysis import AnalysisError
from analysis.history import Ended, Ending, Event, Judged, Noted, Shared
from rollout import RolloutError, machine
from rollout.configuration import Configuration
from rollout.lock import Wish
from rollout.ports import Analyst, Updates, View
from rollout.samples import totals
from rollout.stack import Update, UpdateError
from rollout.window import TICK_SECONDS, Window
from settings.rollouts import CANDIDATE, Rollout, service_settings
from settings.types import seconds

ENDINGS: Mapping[str, Ending] = {"promoted": "promoted", "rolledBack": "rolled back", "aborted": "aborted"}


@dataclass
class Driver:
    """One rollout, driven until it ends or pauses."""

    service: str
    configuration: Configuration
    stack: Updates
    analyst: Analyst
    view: View
    wish: Callable[[], Wish | None]
    history: Callable[[], tuple[Event, ...]]
    """The events so far, those of an earlier process included."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _begun: str | None = field(default=None, init=False)
    _window: Window | None = field(default=None, init=False)
    _others: Mapping[str, Any] | None = field(default=None, init=False)

    def write(self, before: Rollout | None, after: Rollout) -> None:
        """Put a state and the settings that it stands for into the configuration.

        before: what is there; None: whatever is there is overwritten. Raises RolloutError where it is not there.
        """
        if before and not self._untouched(before):
            raise RolloutError(
                f"The settings of {self.service}, or of its rollout, were changed by hand in "
                f"{self.configuration.file.name}. Nothing was written; the traffic stays as it is. To go on with the "
                f"rollout's settings: rollout resume {self.service} --overwrite. To go back to those of before: "
                f"rollout abort {self.service}"
            )
        self.configuration.write(self.service, service_settings(after), after.exported())

    def drive(self, rollout: Rollout) -> Rollout:
        """From a state that is written to the next pause, or the end. Raises RolloutError."""
        while True:
            try:
                update = self._update(rollout)
            except UpdateError as error:
                if not rollout.under_way or rollout.progress.paused:
                    raise UpdateError(
                        f"{error}\nThe settings of {described(rollout)!r} are written, and this update of them failed. "
                        f"Mend what it says, and then: rollout resume {self.service}"
                    ) from None
                following = machine.failed(rollout, f"the update failed: {error}")
            else:
                if not rollout.under_way:
                    self._end(rollout)
                    return rollout
                if rollout.progress.paused:
                    return rollout
                promoting = rollout.progress.phase == "promoting"
                following = machine.settled(rollout) if promoting else self._observed(rollout, update.outputs)
            self.write(rollout, following)
            rollout = following

    def _untouched(self, rollout: Rollout) -> bool:
        there = (self.configuration.entry(self.service), self.configuration.rollout(self.service))
        return there == (service_settings(rollout), rollout.exported())

    def _update(self, rollout: Rollout) -> Update:
        others = self.configuration.others(self.service)
        if self._others is not None and others != self._others:
            self._note("other settings of the stack were changed by hand: they go with this update")
        self._others = others
        if self._begun is not None and self.stack.last() != self._begun:
            self._note("somebody else updated the stack meanwhile: adopted")
        with self._window.read_meanwhile() if self._window else nullcontext():
            update = self.stack.up(f"rollout of {self.service}: {described(rollout)}")
        self._begun = update.begun
        tracks = update.outputs["services"][self.service]["tracks"]
        state = rollout.progress
        self.view.event(
            Shared(
                at=_now(),
                step=state.step if state.phase == "step" else None,
                shares={name: int(track["percent"]) for name, track in tracks.items()},
                seconds=update.seconds,
                why=described(rollout),
            )
        )
        return update

    def _observed(self, rollout: Rollout, outputs: Mapping[str, Any]) -> Rollout:
        """A step's windows, until there is a verdict or a wish, or nobody waits any longer."""
        reasons: tuple[str, ...] = ()
        window = self._window = None
        for look in range(1, rollout.patience + 2):
            try:
                if window is None:
                    source = self.analyst.begin(outputs, rollout)
                    window = self._window = Window(self.analyst, self.view, source, self.clock)
                wish = self._interval(rollout, window)
                if wish:
                    return machine.granted(rollout, wish.verb, wish.full)
                verdict = self.analyst.judge()
            except AnalysisError as error:
                reasons, window = (str(error),), None
                self._note(f"no numbers: {error}")
                wish = self._wait(seconds(rollout.interval))
                if wish:
                    return machine.granted(rollout, wish.verb, wish.full)
                continue
            self.view.event(
                Judged(at=_now(), step=rollout.progress.step, look=look, source=window.source, verdict=verdict)
            )
            reasons = verdict.reasons
            if verdict.outcome == "passed":
                return machine.passed(rollout)
            if verdict.outcome == "failed":
                return machine.failed(rollout, f"{described(rollout)}: {'; '.join(reasons)}")
        waited = f"no verdict after {rollout.patience + 1} intervals of {rollout.interval}"
        return machine.paused(rollout, f"{waited}: {'; '.join(reasons)}")

    def _interval(self, rollout: Rollout, window: Window) -> Wish | None:
        """One interval of a window, read as it goes; a wish ends it early."""
        end = self.clock() + seconds(rollout.interval)
        while (left := end - self.clock()) > 0:
            self.view.tick(left)
            if wish := self._wait(min(TICK_SECONDS, left)):
                return wish
            window.read()
        return None

    def _wait(self, duration: float) -> Wish | None:
        end = self.clock() + duration
        while (left := end - self.clock()) > 0:
            if wish := self.wish():
                return wish
            self.sleep(min(TICK_SECONDS, left))
        return self.wish()

    def _end(self, rollout: Rollout) -> None:
        state = rollout.progress
        requests, errors = totals(self.history())
        self.view.event(
            Ended(
                at=_now(),
                ending=ENDINGS[state.phase],
                reasons=(state.reason,) if state.reason else (),
                settings=self.configuration.entry(self.service) or {},
                user_requests=requests,
                user_errors=errors,
            )
        )

    def _note(self, text: str) -> None:
        self.view.event(Noted(at=_now(), text=text))


def described(rollout: Rollout) -> str:
    """Where a rollout is, in a few words. Pure."""
    state = rollout.progress
    if state.phase == "step":
        where = f"step {state.step + 1} of {len(rollout.steps)}, {CANDIDATE} {rollout.to} at {rollout.percent} percent"
        return f"{where}, paused" if state.paused else where
    return {
        "promoting": f"stable becomes {rollout.to}, {CANDIDATE} keeps the traffic",
        "promoted": f"stable is {rollout.to}, {CANDIDATE} is gone",
        "rolledBack": "rolled back to the settings of before",
        "aborted": "aborted, back to the settings of before",
    }[state.phase]


def _now() -> datetime:
    return datetime.now(UTC)

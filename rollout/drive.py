"""Drives a rollout: the settings of a state, the update that makes them real, the window that is judged, and on.

Whatever was interrupted, and wherever: the settings say what is wanted, an update makes it so (again, if it was so),
and a step that had no verdict is observed anew. Knows neither pulumi nor the terminal nor where numbers come from.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from analysis import AnalysisError
from analysis.history import Ended, Ending, Event, Noted, Shared
from rollout import RolloutError, machine
from rollout.configuration import Configuration, without_nulls
from rollout.observation import Observation
from rollout.ports import Analyst, Updates, View
from rollout.samples import totals
from rollout.stack import Update, UpdateError
from rollout.wishes import Wish
from rollout.wording import described
from settings.rollouts import ENDS, WAYS_BACK, Rollout, service_settings

ENDINGS: Mapping[str, Ending] = {"promoted": "promoted", "rolledBack": "rolled back", "aborted": "aborted"}
RETRY_SECONDS = 300.0
"""How long the update of an end is tried again: nobody may be there to do it, and a bad version has its share."""
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 2.0, 60.0
"""Before the first of these further tries; doubled before each one, up to the second number."""


@dataclass
class Driver:
    """One rollout, driven until it ends or pauses."""

    service: str
    configuration: Configuration
    stack: Updates
    analyst: Analyst
    view: View
    wish: Callable[[], Wish | None]
    """The next wish for this rollout; who takes it answers it."""
    history: Callable[[], Iterable[Event]]
    """The events so far, those of an earlier process included. Raises AnalysisError where they cannot be read."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _begun: str | None = field(default=None, init=False)
    _others: Mapping[str, Any] | None = field(default=None, init=False)
    _observation: Observation = field(init=False)

    def write(self, before: Rollout | None, after: Rollout) -> None:
        """Put a state and the settings that it stands for into the configuration.

        before: what is there; None: whatever is there is overwritten. Raises RolloutError where it is not there.
        """
        if before and not self._untouched(before):
            raise RolloutError(
                f"The settings of {self.service}, or of its rollout, were changed by hand in "
                f"{self.configuration.place(self.service)}. Nothing was written; the traffic stays as it is. To go on "
                f"with the rollout's settings: rollout resume {self.service} --overwrite. To go back to those of "
                f"before: rollout abort {self.service}"
            )
        self.configuration.write(self.service, service_settings(after), after.exported())

    def drive(self, rollout: Rollout) -> Rollout:
        """From a state that is written to the next pause, or the end. Raises RolloutError."""
        self._observation = Observation(self.analyst, self.view, self.wish, self.clock, self.sleep)
        while True:
            try:
                update = self._update(rollout)
            except UpdateError as error:
                if not rollout.under_way or rollout.progress.paused:
                    raise UpdateError(
                        f"{error}\nThe settings of {described(rollout)!r} are written, and this update of them failed. "
                        f"Mend what it says, and then: rollout resume {self.service}"
                    ) from None
                self._note(f"the update failed: {error}")
                following = machine.failed(rollout, f"the update failed: {error.reason}")
                self.write(rollout, following)
            else:
                if not rollout.under_way:
                    self._end(rollout)
                    return rollout
                if rollout.progress.paused:
                    return rollout
                following = self._followed(rollout, update)
            rollout = following

    def _followed(self, rollout: Rollout, update: Update) -> Rollout:
        """The state after a successful update, written: by a wish, else by the plan and the verdict."""
        promoting = rollout.progress.phase == "promoting"
        found = self.wish() if promoting else self._observation.of(rollout, update.outputs)
        wish = found if isinstance(found, Wish) else None
        try:
            if wish and not (promoting and wish.verb == "promote"):
                following = machine.granted(rollout, wish.verb, wish.full)
            else:
                following = found if isinstance(found, Rollout) else machine.settled(rollout)
            if following.progress.phase in WAYS_BACK:
                self._write_over(rollout, following)
            else:
                self.write(rollout, following)
        except RolloutError as error:
            if wish:
                wish.answer(str(error))
            raise
        if wish:
            wish.answer("")
        return following

    def _write_over(self, rollout: Rollout, following: Rollout) -> None:
        """Write a way back. What was changed by hand does not stop it: it goes too, and the history keeps it."""
        if not self._untouched(rollout):
            found = {
                "service": self.configuration.entry(self.service),
                "rollout": self.configuration.rollout(self.service),
            }
            self._note(
                f"the settings of {self.service}, or of its rollout, were changed by hand in "
                f"{self.configuration.place(self.service)}; the way back overwrites them: {json.dumps(found)}"
            )
        self.write(None, following)

    def _untouched(self, rollout: Rollout) -> bool:
        there = (self.configuration.entry(self.service), self.configuration.rollout(self.service))
        return there == (without_nulls(service_settings(rollout)), without_nulls(rollout.exported()))

    def _update(self, rollout: Rollout) -> Update:
        self._tell_of_others()
        window = self._observation.window
        with window.read_meanwhile() if window else nullcontext():
            update = self._made(rollout)
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

    def _tell_of_others(self) -> None:
        """Note what other hands did to the stack since the last update."""
        others = self.configuration.others(self.service)
        if self._others is not None and others != self._others:
            self._note("other settings of the stack were changed by hand: they go with this update")
        self._others = others
        try:
            if self._begun is not None and self.stack.last() != self._begun:
                self._note("somebody else updated the stack meanwhile: adopted")
        except RolloutError as error:
            self._note(f"not known whether somebody else updated the stack meanwhile: {error}")

    def _made(self, rollout: Rollout) -> Update:
        """The update. Raises UpdateError; that of an end only after further tries."""
        end, pause = self.clock() + RETRY_SECONDS, PAUSE_SECONDS
        while True:
            try:
                return self.stack.up(f"rollout of {self.service}: {described(rollout)}")
            except UpdateError as error:
                if rollout.progress.phase not in ENDS or self.clock() + pause > end:
                    raise
                self._note(f"the update failed, and is tried again in {pause:g} s: {error}")
            self.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _end(self, rollout: Rollout) -> None:
        state = rollout.progress
        counted: tuple[int, int] | tuple[None, None] = (None, None)
        try:
            counted = totals(self.history())
        except AnalysisError as error:
            self._note(f"the requests of all steps are not counted: {error}")
        self.view.event(
            Ended(
                at=_now(),
                ending=ENDINGS[state.phase],
                reasons=(state.reason,) if state.reason else (),
                settings=self.configuration.entry(self.service) or {},
                user_requests=counted[0],
                user_errors=counted[1],
            )
        )

    def _note(self, text: str) -> None:
        self.view.event(Noted(at=_now(), text=text))


def _now() -> datetime:
    return datetime.now(UTC)

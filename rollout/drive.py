"""Drives a rollout: the settings of a state, the update that makes them real, the window that is judged, and on.

Whatever was interrupted, and wherever: the settings say what is wanted, an update makes it so (again, if it was so),
and a step that had no verdict is observed anew. Knows neither pulumi nor the terminal nor where numbers come from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from analysis import AnalysisError
from analysis.history import Ended, Ending, Event, Noted, Shared
from rollout import RolloutError, machine
from rollout.configuration import Configuration
from rollout.deployed import Deployed
from rollout.filed import Filed
from rollout.observation import Observation
from rollout.ports import Analyst, Updates, View
from rollout.samples import totals
from rollout.stopped import Stopped
from rollout.update import Update, UpdateError
from rollout.updating import OvertakenError, Updating
from rollout.wishes import Wish
from rollout.wording import described
from rollout.yaml_document import UnreadableError
from settings.rollouts import WAYS_BACK, Rollout, service_settings

ENDINGS: Mapping[str, Ending] = {"promoted": "promoted", "rolledBack": "rolled back", "aborted": "aborted"}


@dataclass
class Driver:
    """One rollout, driven until it ends or pauses."""

    service: str
    configuration: Configuration
    """The person's settings."""
    deployed: Deployed
    """See `rollout.updating.Updating`."""
    stack: Updates
    analyst: Analyst
    view: View
    wish: Callable[[], Wish | None]
    """The next wish for this rollout; who takes it answers it."""
    history: Callable[[], Iterable[Event]]
    """The events so far, those of an earlier process included. Raises AnalysisError where they cannot be read."""
    reported: Callable[[Mapping[str, Any]], Mapping[str, int]]
    """The share of each revision as the cluster reports it, by the stack's outputs. Raises StatusError."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _others: Mapping[str, Any] | None = field(default=None, init=False)
    _observation: Observation = field(init=False)
    _filed: Filed = field(init=False)
    _updating: Updating = field(init=False)

    def __post_init__(self) -> None:
        self._filed = Filed(self.service, self.configuration, self._note)
        self._updating = Updating(
            service=self.service,
            stack=self.stack,
            deployed=self.deployed,
            own=self.configuration,
            reported=self.reported,
            wish=self.wish,
            note=self._note,
            clock=self.clock,
            sleep=self._sleep,
        )

    def write(self, before: Rollout | None, after: Rollout, over: bool = False) -> None:
        """Put a state and the settings that it stands for into the person's settings.

        before: what is there; None: whatever is there is overwritten. over: what was changed by hand is, too, and is
        noted; else it raises RolloutError.
        """
        self._filed.held = before
        self._filed.put(after, over)

    def drive(self, rollout: Rollout) -> Rollout:
        """From a state that is written to the next pause, or the end. Raises RolloutError, or Stopped."""
        self._observation = Observation(self.analyst, self.view, self.wish, self.clock, self.sleep)
        done = False
        try:
            while not done:
                rollout, done = self._step(rollout)
            self._filed.settle(self.clock, self.sleep)
        except Stopped as stopped:
            stopped.left = f"{described(rollout)}; {self._updating.standing}"
            self._note(f"stopped by {stopped.name} at: {stopped.left}")
            raise
        return rollout

    def _step(self, rollout: Rollout) -> tuple[Rollout, bool]:
        """One update, and what follows on it; whether nothing does."""
        try:
            update = self._update(rollout)
        except OvertakenError as overtaken:
            return self._granted(rollout, overtaken.wish), False
        except UpdateError as error:
            if rollout.under_way and not rollout.progress.paused:
                return self._without_update(rollout, error)
            raise UpdateError(
                f"{error}\nThe settings of {described(rollout)!r} are written, and this update of them failed; "
                f"{self._updating.standing}. Correct what it says, and then: rollout resume {self.service}",
                error.kind,
            ) from None
        if not rollout.under_way:
            self._end(rollout)
            return rollout, True
        if update.stopped:
            raise Stopped(update.stopped)
        if rollout.progress.paused:
            return rollout, True
        return self._followed(rollout, update), False

    def _without_update(self, rollout: Rollout, error: UpdateError) -> tuple[Rollout, bool]:
        """What follows on a step that was not made: the way back where that may be the candidate's fault; else a pause,
        with the traffic as it is.
        """
        self._note(f"the update failed: {error}")
        if error.kind == "unknown":
            following = machine.failed(rollout, f"the update failed: {error.reason}")
            self._filed.put(following, over=True)
            return following, False
        following = machine.paused(
            rollout, f"the update could not be made, and says nothing of the candidate: {error.reason}"
        )
        self._filed.put(following, over=False)
        return following, True

    def _followed(self, rollout: Rollout, update: Update) -> Rollout:
        """The state after a successful update, written: by a wish, else by the plan and the verdict."""
        promoting = rollout.progress.phase == "promoting"
        found = self.wish() if promoting else self._observation.of(rollout, update.outputs)
        if isinstance(found, Wish) and not (promoting and found.verb == "promote"):
            return self._granted(rollout, found)
        following = found if isinstance(found, Rollout) else machine.settled(rollout)
        self._filed.put(following, over=following.progress.phase in WAYS_BACK)
        if isinstance(found, Wish):
            found.answer("")
        return following

    def _granted(self, rollout: Rollout, wish: Wish) -> Rollout:
        """The state that a person wants, written."""
        following = machine.granted(rollout, wish.verb, wish.full)
        try:
            self._filed.put(following, over=following.progress.phase in WAYS_BACK)
        except RolloutError as error:
            wish.answer(str(error))
            raise
        wish.answer("")
        return following

    def _update(self, rollout: Rollout) -> Update:
        self._tell_of_others()
        window = self._observation.window
        with window.read_meanwhile() if window else nullcontext():
            update = self._updating.made(rollout)
        state = rollout.progress
        self.view.event(
            Shared(
                at=_now(),
                step=state.step if state.phase == "step" else None,
                shares=self._updating.shares,
                seconds=update.seconds,
                why=described(rollout),
            )
        )
        return update

    def _tell_of_others(self) -> None:
        """Note what other hands did to the settings since the last update."""
        try:
            others = self.configuration.others(self.service)
        except UnreadableError:
            return  # told where the rollout's own state is to be written
        if self._others is not None and others != self._others:
            self._note("other settings of the stack were changed by hand: the rollout deploys none of them")
        self._others = others

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
                settings=service_settings(rollout) or {},
                user_requests=counted[0],
                user_errors=counted[1],
            )
        )

    def _sleep(self, duration: float) -> None:
        self.sleep(duration)

    def _note(self, text: str) -> None:
        self.view.event(Noted(at=_now(), text=text))


def _now() -> datetime:
    return datetime.now(UTC)

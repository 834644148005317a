"""The updates of a rollout: of its own service alone, with the configuration that the stack has, tried again as long as
that can help, and held against what the stack exports and the cluster reports before anybody says that they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollout import RolloutError
from rollout.configuration import Configuration
from rollout.deployed import Deployed
from rollout.ports import Updates
from rollout.reported import difference
from rollout.stopped import Stopped
from rollout.targets import targets
from rollout.transient import again, pause
from rollout.update import Order, Update, UpdateError
from rollout.wishes import Wish
from rollout.wording import described
from settings.rollouts import CANDIDATE, WAYS_BACK, Rollout, service_settings
from status import StatusError

REPORT_SECONDS, LOOK_SECONDS = 10.0, 1.0
"""How long the cluster has to report what an update made, and between two looks."""


class OvertakenError(Exception):
    """An update was not made, since a person wants the rollout to end."""

    def __init__(self, wish: Wish) -> None:
        """wish: the abort, to be answered by who catches this."""
        super().__init__()
        self.wish = wish


class NotReportedError(UpdateError):
    """The update was made, and the cluster or the stack's outputs do not say so."""


@dataclass
class Updating:
    """Who makes one rollout's updates."""

    service: str
    stack: Updates
    deployed: Deployed
    """The configuration of the updates: a file of this process, first made from the stack's last successful update."""
    own: Configuration
    """The person's: taken where no update of the stack has ever succeeded."""
    reported: Callable[[Mapping[str, Any]], Mapping[str, int]]
    """The share of each revision as the cluster reports it, by the stack's outputs. Raises StatusError."""
    wish: Callable[[], Wish | None]
    note: Callable[[str], None]
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    shares: Mapping[str, int] = field(default_factory=dict, init=False)
    """Percent by track, as last seen in the cluster; empty: not known."""
    _begun: str | None = field(default=None, init=False)
    """Of the update that `deployed` was last made with."""

    def made(self, rollout: Rollout) -> Update:
        """The update of a state. Raises UpdateError where it is not tried again, OvertakenError, or Stopped."""
        begun, tries, refresh = self.clock(), 0, False
        while True:
            tries += 1
            try:
                return self._once(rollout, refresh)
            except RolloutError as error:
                failed = error if isinstance(error, UpdateError) else _unread(error)
            self._heed(rollout)
            if not again(failed.kind, not rollout.under_way, tries, self.clock() - begun):
                raise failed
            # What somebody changed in the cluster is not what the state says, so an `up` alone changes nothing.
            refresh = isinstance(failed, NotReportedError)
            wait = pause(tries)
            self.note(f"{self._still(rollout)}the update failed, and is tried again in {wait:g} s: {failed}")
            self._wait(wait, rollout)

    @property
    def standing(self) -> str:
        """The shares, as last seen."""
        told = ", ".join(f"{track} {percent} percent" for track, percent in self.shares.items())
        return f"last seen in the cluster: {told}" if told else "the shares in the cluster are not known"

    def _still(self, rollout: Rollout) -> str:
        if rollout.progress.phase not in WAYS_BACK:
            return ""
        if not self.shares:
            return f"{CANDIDATE} may still have its share: "
        return f"{CANDIDATE} still has {self.shares[CANDIDATE]} percent: " if self.shares.get(CANDIDATE) else ""

    def _once(self, rollout: Rollout, refresh: bool) -> Update:
        self._renew()
        settings = service_settings(rollout)
        tracks = {track for entry in (settings, rollout.progress.before) for track in (entry or {}).get("tracks") or {}}
        self.deployed.put(self.service, settings, rollout.exported())
        self._begun = None  # until it is known what this update was
        ends = not rollout.under_way
        update = self.stack.up(
            Order(
                message=f"rollout of {self.service}: {described(rollout)}",
                config=self.deployed.file,
                targets=targets(self.stack.name, self.service, {*tracks, *self.shares}),
                refresh=refresh,
                finish=ends,
                urgent=lambda: not ends and self._abort() is not None,
            )
        )
        self._begun = update.begun
        try:
            self._confirm(rollout, update)
        except UpdateError:
            if update.stopped:
                raise Stopped(update.stopped) from None
            raise
        found = update.outputs["services"][self.service]["tracks"]
        self.shares = {name: int(track["percent"]) for name, track in found.items()}
        return update

    def _renew(self) -> None:
        """See to it that `deployed` is what the stack has, whoever updated it."""
        known = self.deployed.file.exists()
        try:
            last = self.stack.last()
            if self._begun is not None and last == self._begun:
                return
            if self._begun is not None:
                self.note("somebody else updated the stack meanwhile: adopted")
            self.deployed.keep(self.stack.deployed() or self.own.document())
            if not self.shares:
                tracks = self.stack.outputs().get("services", {}).get(self.service, {}).get("tracks", {})
                self.shares = {name: int(track["percent"]) for name, track in tracks.items()}
            self._begun = last
        except RolloutError as error:
            if not known:
                raise
            self.note(f"not known whether somebody else updated the stack meanwhile: {error}")

    def _confirm(self, rollout: Rollout, update: Update) -> None:
        state, end = rollout.exported()["state"], self.clock() + REPORT_SECONDS
        while True:
            try:
                found = difference(self.service, update.outputs, state, self.reported(update.outputs))
            except StatusError as error:
                raise UpdateError(
                    f"the update was made; how the cluster routes is not known: {error}", "transient"
                ) from None
            if not found:
                return
            if self.clock() >= end:
                raise NotReportedError(f"the update was made, but {found}", "transient")
            self.sleep(LOOK_SECONDS)

    def _abort(self) -> Wish | None:
        wish = self.wish()
        return wish if wish and wish.verb == "abort" else None

    def _heed(self, rollout: Rollout) -> None:
        """An abort ends the tries of a step; that of an end goes on, and who asks for something is told so."""
        if rollout.under_way:
            if wish := self._abort():
                raise OvertakenError(wish)
        elif wish := self.wish():
            back = rollout.progress.phase in WAYS_BACK
            wish.answer("" if back and wish.verb == "abort" else f"The rollout has ended: {described(rollout)}.")

    def _wait(self, duration: float, rollout: Rollout) -> None:
        end = self.clock() + duration
        while (left := end - self.clock()) > 0:
            self.sleep(min(LOOK_SECONDS, left))
            self._heed(rollout)


def _unread(error: RolloutError) -> UpdateError:
    """The backend did not tell what the stack has: nothing was tried, so it says nothing of what was to be made."""
    found = UpdateError(str(error))
    return UpdateError(str(error), "transient") if found.kind == "unknown" else found

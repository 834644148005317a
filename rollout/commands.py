"""The verbs of the command line, each under the lock of the stack: what is there, what may be done, and who is told."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from analysis import AnalysisError
from analysis.history import Event, Noted, Started
from analysis.model import Check
from rollout import RolloutError, machine, plan
from rollout.analyst import MakeSource, Observer
from rollout.configuration import Configuration
from rollout.deployed import Deployed
from rollout.drive import Driver
from rollout.lock import Desk
from rollout.opening import opening
from rollout.ports import View
from rollout.reported import reported
from rollout.stack import Stack
from rollout.views import Both, Journal
from rollout.wishes import Wish
from rollout.yaml_document import UnreadableError
from settings.problems import Problem
from settings.rollouts import WAYS_BACK, Rollout
from status import StatusError
from status.wanted import of_outputs

UNSEEN = "canary or ab: nobody outside the cluster can ask a candidate of a cluster-local service before it has a share"
MakeView = Callable[[ExitStack, Iterable[Event]], View]
"""From the events of before to who is told of the next ones; is left with the stack of exits."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a rollout happens, and what it is made of."""

    service: str
    stack: str
    project: Path
    folder: Path
    """For the lock and the histories."""
    environ: Mapping[str, str]
    temporary: Path
    """For what ends with this process."""
    view: MakeView
    source: MakeSource
    check: Callable[[str], Check]

    @property
    def configuration(self) -> Configuration:
        """The stack's configuration file."""
        return Configuration(self.project / f"Pulumi.{self.stack}.yaml")

    @property
    def desk(self) -> Desk:
        """The lock and the wishes of the stack."""
        return Desk(self.folder, f"{self.stack.replace('/', '.')}.{self.service}")


def start(place: Place, options: Mapping[str, Any], sets: Sequence[str]) -> Rollout:
    """Begin a rollout and drive it. Raises RolloutError, before anything is changed, with every problem."""
    with place.desk.held() as mine:
        if not mine:
            raise RolloutError(f"A rollout of {place.service} is being driven ({place.desk.holder()}): one at a time.")
        there = current(place)
        if there and there.under_way:
            raise RolloutError(
                f"A rollout of {place.service} to {there.to} is under way: rollout status {place.service}. "
                f"To go on with it: rollout resume {place.service}. To end it: rollout abort {place.service}"
            )
        problems: list[Problem] = []
        given = dict(options)
        if sets:
            given["overrides"] = plan.overrides(sets, problems)
        stack = Stack(place.stack, place.project, place.environ, lambda _: None)
        outputs = stack.outputs()
        wanted = {**plan.declared(place.service, place.configuration), **given}
        problems += _unanswered(place, outputs, wanted)
        made = plan.planned(place.service, given, place.configuration, problems)
        identity = f"{place.service}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
        first = plan.checked(place.service, made, identity, place.configuration, place.project)
        return _driven(
            place,
            None,
            first,
            opening(place.stack, place.service, first, place.configuration.entry(place.service), outputs),
        )


def resume(place: Place, overwrite: bool) -> Rollout:
    """Drive a rollout on from where it is; one that has ended is made real again. Raises RolloutError.

    overwrite: settings that were changed by hand are lost.
    """
    with place.desk.held() as mine:
        if not mine:
            raise RolloutError(f"The rollout is being driven already ({place.desk.holder()}).")
        there = _existing(place)
        paused = there.state is not None and there.state.paused
        return _driven(place, there, machine.resumed(there) if paused else there, over=overwrite)


def wish(
    place: Place, wanted: Wish, say: Callable[[str], None] = lambda _: None, force: bool = False
) -> Rollout | None:
    """Pause, promote or abort: by the process that drives the rollout, then None is returned; or here, as soon as no
    process does. Raises RolloutError.

    say: is told what is waited for.
    force: a process that does not answer soon is ended.
    """
    with place.desk.held_or_granted(wanted, say, force) as mine:
        if not mine:
            return None
        there = _existing(place)
        if wanted.verb == "abort" and there.progress.phase in WAYS_BACK:
            return _driven(place, there, there, over=True)  # its update may not have come to its end
        if not there.under_way:
            raise RolloutError(f"No rollout of {place.service} is under way: rollout status {place.service}")
        if wanted.verb == "abort":  # whatever was changed by hand goes too
            return _driven(place, there, machine.aborted(there), over=True)
        return _driven(place, there, machine.granted(there, wanted.verb, wanted.full))


def current(place: Place) -> Rollout | None:
    """The service's rollout as the settings have it, planned, under way or ended; None: there is none, or only a
    plan that does not hold.
    """
    entry = place.configuration.rollout(place.service)
    try:
        return Rollout.model_validate(entry) if entry else None
    except ValidationError as error:
        if "state" in (entry or {}):
            raise RolloutError(
                f"The entry rollouts.{place.service} of the stack's settings cannot be read: {error.errors()[0]['msg']}"
            ) from None
        return None


def _existing(place: Place) -> Rollout:
    """The rollout that was started: as the settings have it; as the stack has it, where that is further, or where the
    settings cannot be read.
    """
    reached = _reached(place)
    try:
        there = current(place)
    except UnreadableError:
        if not reached:
            raise
        there = reached
    if reached and reached.under_way and not (there and there.state):
        there = reached
    if reached and there and there.state and there.state.id == reached.progress.id and machine.later(reached, there):
        there = reached
    if not there or not there.state:
        raise RolloutError(f"There is no rollout of {place.service}: rollout start {place.service} --to VERSION")
    return there


def _reached(place: Place) -> Rollout | None:
    """The rollout that the stack's outputs have; None: none, or they cannot be read now."""
    try:
        outputs = Stack(place.stack, place.project, place.environ, lambda _: None).outputs()
        found = Rollout.model_validate((outputs.get("rollouts") or {}).get(place.service) or {})
    except (RolloutError, ValidationError):
        return None
    return found if found.state else None


def _unanswered(place: Place, outputs: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Problem]:
    """The problem that a source does not answer, or the limits and looks that nobody can judge.

    wanted: the plan, as it is written.
    """
    source = str(wanted.get("source", "gateway"))
    limits = {key: str(wanted[key]) for key in ("maxP95", "maxP99") if wanted.get(key)}
    if place.service not in place.configuration.services().names:
        return []
    observer = Observer(place.stack, place.service, place.source, ())
    try:
        services = {each.name: each for each in of_outputs(place.stack, outputs).status.services}
        if place.service not in services:
            return [Problem("service", place.service, "a service that an update has made already", "pulumi up")]
        if services[place.service].cluster_local and wanted.get("strategy") == "blueGreen":
            return [Problem("strategy", "blueGreen", UNSEEN)]
        observer.begin(outputs, Rollout(to="any", source=source))
        return observer.unjudged(limits)
    except AnalysisError as error:
        return [Problem("source", source, f"a source that answers ({error})")]
    except StatusError as error:
        raise RolloutError(str(error)) from None
    finally:
        observer.close()


def _driven(
    place: Place, before: Rollout | None, after: Rollout, started: Started | None = None, over: bool = False
) -> Rollout:
    """Write a state, and drive on from there. before, over: see `Driver.write`."""
    journal = Journal(place.folder, after.progress.id)
    observes = after.progress.phase == "step" and not after.progress.paused
    with ExitStack() as exits:
        view = _view(place, exits, journal)
        checks = [place.check(text) for text in after.checks] if observes else []
        observer = Observer(place.stack, place.service, place.source, checks)
        exits.callback(observer.close)
        stack = Stack(
            place.stack,
            place.project,
            place.environ,
            lambda text: view.event(Noted(at=datetime.now(UTC), text=text)),
        )
        driver = Driver(
            service=place.service,
            configuration=place.configuration,
            deployed=Deployed(place.temporary / "deployed.yaml"),
            stack=stack,
            analyst=observer,
            view=view,
            wish=place.desk.wishes.taken,
            history=journal.events,
            reported=functools.partial(reported, place.stack, place.service),
        )
        driver.write(before, after, over)
        if started:
            view.event(started)
        return driver.drive(after)


def _view(place: Place, exits: ExitStack, journal: Journal) -> Both:
    """Who is told, the history first. One that cannot be read is told, and stops nobody."""
    try:
        return Both(journal, place.view(exits, journal.events()))
    except AnalysisError as error:
        view = Both(journal, place.view(exits, ()))
        view.event(Noted(at=datetime.now(UTC), text=f"the history so far cannot be read: {error}"))
        return view

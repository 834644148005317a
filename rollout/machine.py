"""From one state of a rollout to the next. Pure. What a state means for the service is in settings.rollouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from settings.rollouts import ENDS, Rollout, State

Verb = Literal["pause", "promote", "abort"]


def started(
    plan: Rollout, identity: str, before: Mapping[str, Any] | None, declared: Mapping[str, Any] | None = None
) -> Rollout:
    """A plan at its first step.

    before: the service's own entry below `services`, as it is written; None where it has none.
    declared: the plan that stood in the settings.
    """
    return plan.model_copy(update={"state": State(id=identity, before=before, declared=declared)})


def passed(rollout: Rollout) -> Rollout:
    """After a step that went well: the next step, then the promotion; A/B waits for a person to decide."""
    state = rollout.progress
    if state.step + 1 < len(rollout.steps):
        return _moved(rollout, step=state.step + 1, paused=None)
    if rollout.strategy == "ab":
        return paused(rollout, "the comparison is over")
    return _moved(rollout, phase="promoting", paused=None)


def failed(rollout: Rollout, reason: str) -> Rollout:
    """After a step that went badly: the service is as before."""
    return _moved(rollout, phase="rolledBack", paused=None, reason=reason)


def paused(rollout: Rollout, reason: str) -> Rollout:
    """Waiting for a person; the traffic stays."""
    return _moved(rollout, paused=reason)


def resumed(rollout: Rollout) -> Rollout:
    """No longer waiting: the step is observed anew."""
    return _moved(rollout, paused=None)


def promoted(rollout: Rollout, full: bool) -> Rollout:
    """A person says that the step is good; `full`: that all are. A/B has nothing after its comparison, and a promotion
    that has begun goes on.
    """
    if full or rollout.strategy == "ab" or rollout.progress.phase == "promoting":
        return _moved(rollout, phase="promoting", paused=None)
    return passed(rollout)


def aborted(rollout: Rollout) -> Rollout:
    """A person says that it is to end: the service is as before."""
    return _moved(rollout, phase="aborted", paused=None, reason="by rollout abort")


def granted(rollout: Rollout, verb: Verb, full: bool) -> Rollout:
    """What a person wants."""
    if verb == "pause":
        return paused(rollout, "by rollout pause")
    return aborted(rollout) if verb == "abort" else promoted(rollout, full)


def settled(rollout: Rollout) -> Rollout:
    """After the update of a promotion's first half: stable has the new version and is warm, so the candidate goes."""
    return _moved(rollout, phase="promoted")


def later(one: Rollout, other: Rollout) -> bool:
    """Whether one state of a rollout comes after another. Being paused is neither."""

    def rank(rollout: Rollout) -> tuple[int, int]:
        state = rollout.progress
        return (("step", "promoting").index(state.phase) if rollout.under_way else 2), state.step

    return rank(one) > rank(other)


def _moved(rollout: Rollout, **changes: object) -> Rollout:
    state = rollout.progress
    if state.phase in ENDS:
        raise ValueError(f"the rollout has ended: {state.phase}")
    return rollout.model_copy(update={"state": state.model_copy(update=changes)})

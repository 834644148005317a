"""Where a rollout is, in a few words. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from settings.rollouts import CANDIDATE, Rollout


def described(rollout: Rollout) -> str:
    """Where a started rollout is."""
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


def first_lines(reasons: Iterable[str]) -> str:
    """What the settings file, which goes into git, keeps of reasons: what programs say below may be anything."""
    return "; ".join(reason.partition("\n")[0].rstrip() for reason in reasons)

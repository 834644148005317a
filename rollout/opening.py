"""The first event of a rollout's history: what was asked for, and what was there before. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from analysis.history import Started
from rollout.analyst import thresholds
from rollout.plan import new_of
from settings.rollouts import CANDIDATE, Rollout
from settings.types import seconds

STRATEGIES: Mapping[str, Literal["canary", "blue/green", "a/b"]] = {
    "canary": "canary",
    "blueGreen": "blue/green",
    "ab": "a/b",
}
"""As the history has them."""


def opening(
    stack: str, service: str, first: Rollout, entry: Mapping[str, Any] | None, outputs: Mapping[str, Any]
) -> Started:
    """What was asked for.

    first: the rollout at its first step.
    entry: the service's own settings before.
    outputs: of the stack, before.
    """
    before = outputs["services"][service]
    return Started(
        at=datetime.now(UTC),
        rollout=first.progress.id,
        stack=stack,
        service=service,
        url=before["url"],
        strategy=STRATEGIES[first.strategy],
        stable_version=before["tracks"]["stable"]["version"],
        candidate_version=new_of(entry, first),
        candidate=CANDIDATE,
        steps=first.steps,
        interval_seconds=seconds(first.interval),
        thresholds=thresholds(first),
        looks=len(first.steps),
        sources=(first.source,),
        checks=first.checks,
        settings=entry or {},
    )

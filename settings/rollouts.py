"""The guided rollout of one service as a setting: its plan, its state, and the service's settings that follow.

A rollout is nothing but a sequence of settings: what a service is set to at each point follows from the rollout's own
entry alone, here. So whoever changes one and not the other is noticed, and a tool that was killed knows where it was.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from settings.base import Frozen
from settings.types import Interval, Latency, LatencyIncrease, Percent, Rate, RateIncrease, Text, Version, WholeNumber

CANDIDATE: Final = "candidate"
"""Name and tag of the track that a rollout adds."""
CANARY_STEPS: Final = (5, 25, 50, 100)
Strategy = Literal["canary", "blueGreen", "ab"]
Phase = Literal["step", "promoting", "promoted", "rolledBack", "aborted"]
"""`step`: the candidate has the share of a step. `promoting`: the new version is stable's, while the candidate, warm,
takes all. The others are ends: the new version is stable, or the service is as before.
"""
WAYS_BACK: Final = ("rolledBack", "aborted")
ENDS: Final = ("promoted", *WAYS_BACK)


class State(Frozen):
    """How far a rollout is. Written by `rollout`, in the same change as the service's settings."""

    id: Text
    """Tells a rollout from the others of the service."""
    phase: Phase = "step"
    step: Annotated[WholeNumber, Field(ge=0)] = 0
    """Index into the shares of the strategy; kept when the rollout ends."""
    paused: Text | None = None
    """Why it waits for a person; None: it does not."""
    reason: Text | None = None
    """Why it ended as it did."""
    before: Mapping[str, Any] | None = None
    """The service's own entry below `services` before the rollout, as it was written; None: there was none."""
    declared: Mapping[str, Any] | None = None
    """The plan that stood in the settings before the rollout: the next one's too, other than what was an option."""


class Rollout(Frozen):
    """The plan of a rollout and, once it was started, its state.

    As an entry of the settings it is the same until it ends. Then the entry says what was declared again, for the next
    rollout, and the plan of the one that ended is below its state: `{to: …, state: {phase: promoted, plan: {…}}}`.
    """

    to: Version
    """The version that is rolled out."""
    strategy: Strategy = "canary"
    steps: tuple[Percent, ...] = Field(default=(), validate_default=True)
    """Shares of the candidate: rising to 100 for a canary; one share for A/B; blue/green has 0, then 100."""
    interval: Interval = "60s"
    """How long each step is observed."""
    max_error_rate: Rate = "1%"
    max_error_increase: RateIncrease = "1%"
    """How many points, or how many times, more of its requests than of stable's may fail."""
    max_4xx_rate: Annotated[Rate | None, Field(alias="max4xxRate")] = None
    """Share of requests that may be answered with a status from 400 to 499."""
    max_4xx_increase: Annotated[RateIncrease, Field(alias="max4xxIncrease")] = "5%"
    """How many points, or how many times, more of its requests than of stable's may be answered so."""
    max_p95: Latency | None = None
    max_p99: Latency | None = None
    max_p95_increase: LatencyIncrease = "100ms"
    """How much slower than stable's the 95th percentile may be: a time, or a factor."""
    min_requests: Annotated[WholeNumber, Field(ge=1, le=1_000_000)] = 450
    """Requests of each judged track below which a step does not pass."""
    patience: Annotated[WholeNumber, Field(ge=0, le=1000)] = 3
    """Further intervals that a step gets without a verdict, before the rollout pauses."""
    source: Text = "gateway"
    """Where requests, errors and latency come from."""
    checks: tuple[str, ...] = ()
    """Commands or URLs that each have to say yes at the end of a step."""
    overrides: Mapping[str, Any] = Field(default_factory=dict)
    """Settings of the new version that differ from stable's, as a track has them: `{env: {…}, minScale: 2}`."""
    state: State | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_the_entry_of_an_end(cls, entry: Any) -> Any:
        state = entry.get("state") if isinstance(entry, Mapping) else None
        if not isinstance(state, Mapping) or "plan" not in state or state.get("phase") not in ENDS:
            return entry
        declared = {key: value for key, value in entry.items() if key != "state"}
        kept = {key: value for key, value in state.items() if key != "plan"}
        plan = state["plan"] if isinstance(state["plan"], Mapping) else {}
        return {**plan, "state": {**kept, "declared": declared or None}}

    @field_validator("steps", mode="after")
    @classmethod
    def _fit_the_strategy(cls, steps: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        strategy = info.data.get("strategy", "canary")
        if strategy == "blueGreen":
            if steps not in ((), (0, 100)):
                raise ValueError("no steps: blue/green goes from 0 to 100 percent at once")
            return (0, 100)
        if strategy == "ab":
            if len(steps) > 1 or not all(0 < step < 100 for step in steps):
                raise ValueError("one share from 1 to 99 percent: A/B keeps it for one interval")
            return steps or (50,)
        rising = all(low < high for low, high in zip((0, *steps), steps, strict=False))
        if steps and not (rising and steps[-1] == 100):
            raise ValueError("percentages that rise and end at 100, such as 5,25,50,100")
        return steps or CANARY_STEPS

    @field_validator("state", mode="after")
    @classmethod
    def _fits_the_steps(cls, state: State | None, info: ValidationInfo) -> State | None:
        steps = info.data.get("steps", ())
        if state and state.phase not in ENDS and steps and state.step >= len(steps):
            raise ValueError(f"a step of the {len(steps)} of `steps`: put back those that the rollout began with")
        return state

    @property
    def progress(self) -> State:
        """Its state. Raises ValueError where it was not started."""
        if self.state is None:
            raise ValueError("the rollout was not started")
        return self.state

    @property
    def under_way(self) -> bool:
        """Whether it was started and has not ended: the service's settings are the rollout's."""
        return self.state is not None and self.state.phase not in ENDS

    @property
    def percent(self) -> int:
        """The candidate's share now; 0 where there is no candidate."""
        if self.state is None or self.state.phase in ENDS:
            return 0
        return 100 if self.state.phase == "promoting" else self.steps[self.state.step]

    def exported(self) -> dict[str, Any]:
        """As a stack output, and as the stack's configuration has it: in camelCase, without what is unset."""
        plan = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        if self.state is None or self.state.phase not in ENDS:
            return plan
        state = plan.pop("state")
        declared = state.pop("declared", {})
        return {**declared, "state": {**state, "plan": plan}}


def service_settings(rollout: Rollout) -> dict[str, Any] | None:
    """The service's entry below `services` that a started rollout stands for; None: no entry. Pure."""
    state = rollout.progress
    if state.phase in WAYS_BACK:
        return None if state.before is None else dict(copy.deepcopy(state.before))
    service: dict[str, Any] = dict(copy.deepcopy(state.before or {}))
    new = new_version(service.get("stable") or {}, rollout)
    if rollout.under_way:
        tracks = service.get("tracks") or {}
        own = {key: value for key, value in new.items() if key != "tag"}
        service["tracks"] = {**tracks, CANDIDATE: {**own, "percent": rollout.percent, "tag": CANDIDATE}}
    if state.phase in ("promoting", "promoted"):
        service["stable"] = new
    return service


def new_version(stable: Mapping[str, Any], rollout: Rollout) -> dict[str, Any]:
    """Stable's entry with the new version in it: all else stays, but for the overrides; variables are added. Pure."""
    new = {**stable, "version": rollout.to, **rollout.overrides}
    env = {**(stable.get("env") or {}), **(rollout.overrides.get("env") or {})}
    return {**new, "env": env} if env else new

"""The recorded history of a rollout: one event for each line of a file, in JSON. Who drives the rollout appends, the
report reads.

The types are the format: an unknown kind or key is refused. An event says what was, so a file that ends early (the tool
was killed) is a history too. Settings are those of one service as the stack's configuration has them; secrets are not
among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from analysis import AnalysisError
from analysis.model import Sample, Thresholds, Verdict

_STRICT = ConfigDict(extra="forbid")
Ending = Literal["promoted", "rolled back", "aborted", "kept"]
"""How a rollout came to its end; `kept`: both versions stay, as after an A/B comparison."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Started:
    """The first event: what was asked for."""

    kind: Literal["started"] = "started"
    at: datetime
    """Of each event: with its time zone."""
    rollout: str
    """Identifies it among those of the stack, e.g. `notifications-service-20261123T142001`."""
    stack: str
    service: str
    url: str
    """The service's URL."""
    strategy: Literal["canary", "blue/green", "a/b"]
    stable_version: str
    candidate_version: str
    candidate: str
    """Name of the candidate's track."""
    steps: tuple[int, ...]
    """The candidate's share of each step, in percent."""
    interval_seconds: float
    thresholds: Thresholds
    looks: int
    """For how many looks the level is shared: `analysis.verdict.judge`."""
    sources: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The service's settings before."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Shared:
    """An update of the stack has given the tracks their shares."""

    kind: Literal["shared"] = "shared"
    at: datetime
    """When the update had ended."""
    step: int | None = None
    """Index of the step, from 0; None: no step (the way back, the promotion)."""
    shares: Mapping[str, int]
    """Percent, by track."""
    seconds: float | None = None
    """How long the update took."""
    why: str = ""
    """`step 2 of 4`, `rolled back`, `stable is v1.1.0 now`, …"""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Measured:
    """A short piece of the timeline: what each track did since the event of this kind before it, or since the window's
    beginning.
    """

    kind: Literal["measured"] = "measured"
    at: datetime
    """Its end."""
    seconds: float
    source: str = "gateway"
    samples: Mapping[str, Sample]
    """By track."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Judged:
    """The end of a window, and the verdict."""

    kind: Literal["judged"] = "judged"
    at: datetime
    step: int
    look: int = 1
    """Which window of this step: 2 and more after one without a verdict."""
    source: str = "gateway"
    verdict: Verdict


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Noted:
    """Anything else that a reader should see on the timeline: paused, resumed, another hand on the stack, an error."""

    kind: Literal["noted"] = "noted"
    at: datetime
    text: str


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Ended:
    """The last event."""

    kind: Literal["ended"] = "ended"
    at: datetime
    ending: Ending
    reasons: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The service's settings after."""
    user_requests: int | None = None
    """All requests of users to the service since the start, and those that failed; None: not counted."""
    user_errors: int | None = None


Event = Annotated[Started | Shared | Measured | Judged | Noted | Ended, Field(discriminator="kind")]
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


def line(event: Event) -> str:
    """One event as one line of JSON, with its end of line."""
    return _EVENT.dump_json(event).decode() + "\n"


def event(text: str) -> Event:
    """The event of one line. Raises ValueError (pydantic's) for anything else."""
    return _EVENT.validate_json(text)


def read(file: Path) -> tuple[Event, ...]:
    """All of `events`."""
    return tuple(events(file))


def events(file: Path) -> Iterator[Event]:
    """The events of a file, in order, read as they are asked for. A last line without its end was cut by a crash, and
    is left out. Raises AnalysisError where there is no such file, or it holds anything else.
    """
    try:
        with file.open(errors="replace") as lines:
            yield from _events(file, lines)
    except OSError as error:
        raise AnalysisError(f"{file}: {error.strerror}. A history is written by `rollout start`.") from None


def _events(file: Path, lines: Iterable[str]) -> Iterator[Event]:
    for number, text in enumerate(lines, 1):
        if not text.endswith("\n"):
            return
        try:
            yield event(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise AnalysisError(f"{file}, line {number}: not an event of a rollout ({where}: {first['msg']})") from None

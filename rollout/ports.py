"""What driving a rollout needs of the world, so that it can be driven, and tested, without knowing who provides it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from analysis.history import Event
from analysis.model import Sample, Verdict
from rollout.update import Order, Update
from settings.rollouts import Rollout


class Updates(Protocol):
    """The stack."""

    @property
    def name(self) -> str:
        """Its name, with or without organization and project."""
        ...

    def up(self, order: Order) -> Update:
        """Make what a configuration file says, once. Raises UpdateError where it cannot be made."""
        ...

    def deployed(self) -> Mapping[str, Any] | None:
        """What the configuration file of the last successful update says; None: there was none. Raises RolloutError."""
        ...

    def outputs(self) -> Mapping[str, Any]:
        """What the last update exported. Raises RolloutError."""
        ...

    def last(self) -> str | None:
        """What tells the stack's last update from others; None: there was none. Raises RolloutError."""
        ...


class Analyst(Protocol):
    """Who observes the tracks and judges the candidate. Its errors are AnalysisError."""

    def begin(self, outputs: Mapping[str, Any], rollout: Rollout) -> str:
        """Begin a window over what an update exported; name of the source that is asked."""
        ...

    def read(self) -> Mapping[str, Sample]:
        """What each track did since the window began."""
        ...

    def early(self) -> Verdict | None:
        """A failure that the readings so far show already; None: none. Asked a few times in an interval."""
        ...

    def judge(self) -> Verdict:
        """The verdict on the last reading, at the end of an interval."""
        ...


class View(Protocol):
    """Who shows, or keeps, what happens."""

    def event(self, event: Event) -> None:
        """Something happened."""
        ...

    def tick(self, left: float) -> None:
        """A moment passed; so many seconds are left of the interval."""
        ...

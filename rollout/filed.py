"""A rollout's change in the person's own settings file: made as soon as the file can be read, and not before.

No update waits for it: they are made with a configuration of the rollout's own (see `rollout.updating`). So a file that
somebody has half saved, or that has a slip in it, stops neither a step nor the way back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from rollout import RolloutError
from rollout.configuration import Configuration, without_nulls
from rollout.machine import later
from rollout.yaml_document import UnreadableError, UnwritableError
from settings.rollouts import Rollout, service_settings

SETTLE_SECONDS = 600.0
"""How long a file that cannot be read is waited for when nothing else is left to do."""
LOOK_SECONDS = 2.0


@dataclass
class Filed:
    """What the file has of one rollout, and what it is still owed."""

    service: str
    configuration: Configuration
    note: Callable[[str], None]
    held: Rollout | None = None
    """What the file has; None: nothing of this rollout."""
    owed: Rollout | None = field(default=None, init=False)
    """What it is to have, and could not be given."""

    def put(self, after: Rollout, over: bool) -> None:
        """Write a state and the service's settings that it stands for, or owe them while the file cannot be read.

        over: what was changed by hand is overwritten, and noted. Else it raises RolloutError, and writes nothing.
        """
        try:
            if not self._untouched(over):
                raise RolloutError(
                    f"The settings of {self.service}, or of its rollout, were changed by hand in "
                    f"{self._place}. Nothing was written; the traffic stays as it is. To go on "
                    f"with the rollout's settings: rollout resume {self.service} --overwrite. To go back to those of "
                    f"before: rollout abort {self.service}"
                )
            self.configuration.write(self.service, service_settings(after), after.exported())
        except (UnreadableError, UnwritableError) as error:
            if isinstance(error, UnwritableError) and not over:
                raise
            if not self.owed:
                self.note(f"{error}. The rollout goes on without that file, and writes into it as soon as it can")
            self.owed = after
        else:
            if self.owed:
                self.note(f"{self._place} can be read again, and has the rollout's state now")
            self.held, self.owed = after, None

    def settle(self, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        """Give the file what it is owed. Raises RolloutError where that cannot be done within SETTLE_SECONDS."""
        end = clock() + SETTLE_SECONDS
        while self.owed:
            self.put(self.owed, over=True)
            if self.owed and clock() > end:
                raise RolloutError(
                    f"{self._place} still has an earlier state of the rollout of {self.service}: it "
                    f"cannot be read or written. Do not run `pulumi up` with it. Correct that, and then: "
                    f"rollout resume {self.service}"
                )
            if self.owed:
                sleep(LOOK_SECONDS)

    @property
    def _place(self) -> str:
        """The file, for people; the stack's where it cannot be read which one it is."""
        try:
            return self.configuration.place(self.service)
        except RolloutError:
            return self.configuration.file.name

    def _untouched(self, over: bool) -> bool:
        """Whether the file is as the rollout left it; what `over` may overwrite is noted. Raises UnreadableError."""
        if self.held is None:
            return True
        entry, rollout = self.configuration.entry(self.service), self.configuration.rollout(self.service)
        if (entry, rollout) == _entries(self.held) or self._behind(entry, rollout):
            return True
        if over:
            found = json.dumps({"service": entry, "rollout": rollout})
            self.note(
                f"the settings of {self.service}, or of its rollout, were changed by hand in "
                f"{self._place}, and are overwritten: {found}"
            )
        return over

    def _behind(self, entry: dict[str, Any] | None, rollout: dict[str, Any] | None) -> bool:
        """Whether this is an earlier state of the same rollout, whole: of an editor that saved what it had read, or of
        a checkout.
        """
        try:
            found = Rollout.model_validate(rollout) if rollout else None
        except ValidationError:
            return False
        if not (found and found.state and self.held and found.state.id == self.held.progress.id):
            return False
        return later(self.held, found) and (entry, rollout) == _entries(found)


def _entries(rollout: Rollout) -> tuple[Any, Any]:
    return without_nulls(service_settings(rollout)), without_nulls(rollout.exported())

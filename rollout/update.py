"""One update of a stack, as it is asked for, as it was made, and why it was not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollout import RolloutError
from rollout.transient import Kind, kind_of

_NOISE = ("Updating (", "View Live", "Diagnostics:", "Resources:", "Duration:")


class UpdateError(RolloutError):
    """The update itself failed: what was wanted is not what is there."""

    def __init__(self, text: str, kind: Kind | None = None) -> None:
        """kind: None: what the text says."""
        super().__init__(text)
        self.kind: Kind = kind or kind_of(text)

    @property
    def reason(self) -> str:
        """The first error alone: what comes below it may be lines of the application's log."""
        lines = str(self).splitlines() or ["unknown"]
        errors = [line.partition("error: ")[2] for line in lines if "error: " in line]
        idle = re.compile(r"update failed|\d+ errors? occurred:").fullmatch
        return next((error for error in errors if not idle(error)), (errors or lines)[0]).strip()


@dataclass(frozen=True, kw_only=True)
class Order:
    """An update that is asked for."""

    message: str
    config: Path
    """The configuration file to use, instead of the stack's own."""
    targets: Sequence[str] = ()
    """URNs, or patterns of them: nothing else is changed."""
    refresh: bool = False
    """Ask the cluster first what it has of the targets."""
    finish: bool = False
    """A first signal that ends the tool does not end this update; a second one does."""
    urgent: Callable[[], bool] = lambda: False
    """Asked meanwhile, from another thread: whether the update is to be ended, since something else is wanted."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """A successful update of the stack."""

    begun: str
    """When it began, as the stack's history has it: no two updates of a stack begin at once."""
    seconds: float
    outputs: Mapping[str, Any] = field(repr=False)
    """Secrets included."""
    stopped: int | None = None
    """The signal that came meanwhile, and that ends the tool."""


def told(error: Exception) -> str:
    """What pulumi said of the failure: the lines of its diagnostics, without the stack's outputs and the progress."""
    text = str(error)
    _, _, diagnostics = text.partition("Diagnostics:")
    said = (diagnostics or text.partition("stderr:")[2] or text).partition("Outputs:")[0]
    lines = [line.rstrip() for line in said.splitlines() if line.strip() and not line.startswith(_NOISE)]
    return "\n".join(lines[:30])

"""The stack, as a rollout uses it: `pulumi up` through the Automation API, on the user's own backend and passphrase.

An update of somebody else's is waited for; the lock of one that was killed is taken away, if it was on this machine.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi import automation

from rollout import RolloutError

LOCK_SECONDS = 600.0
"""How long the update of somebody else is waited for."""
_HOLDER = re.compile(r"created by (\S+)@(\S+) \(pid (\d+)\)")
_NOISE = ("Updating (", "View Live", "Diagnostics:", "Resources:", "Duration:")


class UpdateError(RolloutError):
    """The update itself failed: what was wanted is not what is there."""

    @property
    def reason(self) -> str:
        """The first error alone: what comes below it may be lines of the application's log."""
        lines = str(self).splitlines() or ["unknown"]
        errors = [line.partition("error: ")[2] for line in lines if "error: " in line]
        return next((error for error in errors if error != "update failed"), (errors or lines)[0]).strip()


@dataclass(frozen=True, kw_only=True)
class Update:
    """A successful update of the stack."""

    begun: str
    """When it began, as the stack's history has it: no two updates of a stack begin at once."""
    seconds: float
    outputs: Mapping[str, Any] = field(repr=False)
    """Secrets included."""


class _Workspace(automation.LocalWorkspace):
    """The project, as one command sees it: which stack a person has selected there stays as it is."""

    def select_stack(self, stack_name: str) -> None:
        """Nothing: each command of the Automation API names its stack."""


class _Command(automation.PulumiCommand):
    """The pulumi of an environment's PATH; left alone, the Automation API looks for it on the PATH of this process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        found = shutil.which("pulumi", path=environ.get("PATH"))
        if not found:
            raise RolloutError("pulumi is not installed: make install")
        self.command, self.version = found, None  # none of the commands that are used here depends on it


class Stack:
    """One stack of the project."""

    def __init__(self, name: str, project: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
        """
        environ: has pulumi on its PATH, the backend and the passphrase.
        say: is told what is waited for.

        Raises RolloutError where there is no such stack.
        """
        self.name, self._say = name, say
        self._local = environ.get("PULUMI_BACKEND_URL", "").startswith("file://")
        workspace = _Workspace(work_dir=str(project), env_vars=dict(environ), pulumi_command=_Command(environ))
        self._stack = automation.Stack.select(name, workspace)
        self.last()

    def up(self, message: str) -> Update:
        """Make what the configuration says. Raises UpdateError with what pulumi said, or RolloutError where another
        update does not end.
        """
        end = time.monotonic() + LOCK_SECONDS
        while True:
            begun = time.monotonic()
            try:
                with _ended_in_order():
                    done = self._stack.up(message=message, color="never", show_secrets=False)
            except automation.ConcurrentUpdateError as error:
                self._wait_for_lock(str(error), end)
            except automation.CommandError as error:
                raise UpdateError(_told(error)) from None
            else:
                outputs = {name: output.value for name, output in done.outputs.items()}
                seconds = time.monotonic() - begun
                return Update(begun=str(done.summary.start_time), seconds=seconds, outputs=outputs)

    def last(self) -> str | None:
        """When the last update began, whoever made it; None: there was none. Raises RolloutError."""
        with self._readable():
            history = self._stack.history(page_size=1, show_secrets=False)
        return str(history[0].start_time) if history else None

    def outputs(self) -> dict[str, Any]:
        """What the last update exported, secrets included. Raises RolloutError."""
        with self._readable():
            return {name: output.value for name, output in self._stack.outputs().items()}

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Reading: what goes wrong is a RolloutError that says what to do."""
        try:
            yield
        except automation.StackNotFoundError:
            raise RolloutError(f"There is no stack {self.name}: make up") from None
        except automation.CommandError as error:
            raise RolloutError(
                f"The stack {self.name} cannot be read:\n{_told(error)}\nNo stack yet? make up"
            ) from None

    def _wait_for_lock(self, message: str, end: float) -> None:
        holders = _HOLDER.findall(message)
        who = ", ".join(f"{user}@{host}, process {process}" for user, host, process in holders) or "somebody"
        # A user and a machine of the same names may be another container: only what is in a folder of this machine is
        # surely of its processes.
        if self._local and holders and all(dead(user, host, int(process)) for user, host, process in holders):
            self._say(f"an update of {self.name} was killed ({who}): its lock is taken away")
            with self._readable():
                self._stack.cancel()
            return
        if time.monotonic() > end:
            raise RolloutError(
                f"The stack {self.name} is being updated ({who}), and has been for {LOCK_SECONDS:g} s. "
                f"If nothing runs any more: pulumi cancel --stack {self.name}"
            )
        self._say(f"waiting: the stack is being updated ({who})")
        time.sleep(2)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """ctrl-C reaches pulumi as well, which then ends the update in order: that is waited for, and KeyboardInterrupt
    comes after it. Raised at once, it would close the pipe that pulumi writes to, and kill it.
    """
    if threading.current_thread() is not threading.main_thread() or (
        signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    told: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: told.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if told:
            raise KeyboardInterrupt


def dead(user: str, host: str, process: int) -> bool:
    """Whether a holder of a lock was a process of this user on this machine, and is none any more."""
    if (user, host) != (getpass.getuser(), socket.gethostname()):
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, PermissionError):  # the number may be another user's by now
        return True
    return False


def _told(error: automation.CommandError) -> str:
    """What pulumi said of the failure: the lines of its diagnostics, without the stack's outputs and the progress."""
    text = str(error)
    _, _, diagnostics = text.partition("Diagnostics:")
    said = (diagnostics or text.partition("stderr:")[2] or text).partition("Outputs:")[0]
    lines = [line.rstrip() for line in said.splitlines() if line.strip() and not line.startswith(_NOISE)]
    return "\n".join(lines[:30])

"""The stack, as a rollout uses it: `pulumi up` through the Automation API, on the user's own backend and passphrase.

An update changes only what it names, and is made with a configuration file of the rollout's own. The lock of an update
that was killed is taken away, if it was on this machine.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation

from rollout import RolloutError
from rollout.engine import Engine
from rollout.stopped import ended_in_order
from rollout.update import Order, Update, UpdateError, told
from settings.load import CONFIG_FILE

HISTORY = 100
"""Updates among which the last one that succeeded is looked for."""
URGENT_SECONDS = 0.5
"""Between two looks whether an update is to be ended."""
_HOLDER = re.compile(r"created by (\S+)@(\S+) \(pid (\d+)\)")


class _Workspace(automation.LocalWorkspace):
    """The project, as one command sees it: which stack a person has selected there stays as it is."""

    def select_stack(self, stack_name: str) -> None:
        """Nothing: each command of the Automation API names its stack."""


class Stack:
    """One stack of the project."""

    def __init__(self, name: str, project: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
        """
        environ: has pulumi on its PATH, the backend and the passphrase.
        say: is told that a lock is taken away.

        Raises RolloutError where there is no such stack.
        """
        self.name, self._say = name, say
        self._local = environ.get("PULUMI_BACKEND_URL", "").startswith("file://")
        self._engine = Engine(environ)
        self._workspace = _Workspace(work_dir=str(project), env_vars=dict(environ), pulumi_command=self._engine)
        self._stack = automation.Stack.select(name, self._workspace)
        self.last()

    def up(self, order: Order) -> Update:
        """Make what a configuration file says, once. Raises UpdateError with what pulumi said; a lock is one, too."""
        begun = time.monotonic()
        try:
            with ended_in_order(self._engine.interrupt, order.finish) as signals, self._ended_if(order.urgent):
                done = self._up(order)
        except automation.ConcurrentUpdateError as error:
            if self._freed(str(error)):
                return self.up(order)
            raise UpdateError(f"the stack is being updated ({_who(str(error))})", "locked") from None
        except automation.CommandError as error:
            raise UpdateError(told(error)) from None
        outputs = {name: output.value for name, output in done.outputs.items()}
        return Update(
            begun=str(done.summary.start_time),
            seconds=time.monotonic() - begun,
            outputs=outputs,
            stopped=signals[0] if signals else None,
        )

    def _up(self, order: Order) -> automation.UpResult:
        self._workspace.env_vars = {**self._workspace.env_vars, CONFIG_FILE: str(order.config)}
        return self._stack.up(
            message=order.message,
            color="never",
            show_secrets=False,
            config_file=str(order.config),
            target=list(order.targets) or None,
            refresh=order.refresh or None,
        )

    @contextmanager
    def _ended_if(self, urgent: Callable[[], bool]) -> Iterator[None]:
        done = threading.Event()

        def look() -> None:
            while not done.wait(URGENT_SECONDS):
                if urgent():
                    self._engine.interrupt()
                    return

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def deployed(self) -> dict[str, Any] | None:
        """The configuration that the last successful update was made with, as a configuration file says it: what the
        stack has, whatever its own file says by now. Secrets stay encrypted. None: no update has ever succeeded.

        Raises RolloutError where the backend does not tell.
        """
        with self._readable():
            found = self._stack.history(page_size=1, show_secrets=False)
            if not (found and _succeeded(found[0])):
                found = self._stack.history(page_size=HISTORY, page=1, show_secrets=False)
            done = next((update for update in found if _succeeded(update)), None)
            if not done:
                return None
            saved = self._refreshed()
        return {**saved, "config": configured(done.config, saved.get("config") or {})}

    def _refreshed(self) -> dict[str, Any]:
        """The configuration file of the last update, whatever came of it: the only way to secrets that stay encrypted,
        and to how they are.
        """
        with tempfile.TemporaryDirectory() as folder:  # closed to others
            file = Path(folder) / "last.yaml"
            file.touch()
            refresh = ["config", "refresh", "--force", "--config-file", str(file), "--stack", self.name]
            self._engine.run(refresh, self._workspace.work_dir, self._workspace.env_vars)
            return yaml.load(file.read_text(), Loader=yaml.CSafeLoader) or {}

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
            raise RolloutError(f"The stack {self.name} cannot be read:\n{told(error)}\nNo stack yet? make up") from None

    def _freed(self, message: str) -> bool:
        """Whether the lock was of updates that were killed, and is taken away now."""
        holders = _HOLDER.findall(message)
        # A user and a machine of the same names may be another container: only what is in a folder of this machine is
        # surely of its processes.
        if not (self._local and holders and all(dead(user, host, int(number)) for user, host, number in holders)):
            return False
        self._say(f"an update of {self.name} was killed ({_who(message)}): its lock is taken away")
        try:
            self._stack.cancel()
        except automation.CommandError as error:
            raise UpdateError(told(error)) from None
        return True


def _who(message: str) -> str:
    return (
        ", ".join(f"{user}@{host}, process {number}" for user, host, number in _HOLDER.findall(message)) or "somebody"
    )


def _succeeded(update: automation.UpdateSummary) -> bool:
    """Whether it was an `up` that came to its end: a refresh has the settings of its time, and deploys none."""
    return bool(update.kind == "update" and update.result == "succeeded")


def configured(values: Mapping[str, Any], saved: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of an update: numbers and texts as the history has them. Pure.

    values: as the history says them, without secrets.
    saved: a configuration file's, for the secrets.
    """
    config: dict[str, Any] = {}
    for key, value in values.items():
        if value.secret:
            config |= {key: saved[key]} if key in saved else {}
        else:
            text = str(value.value)
            config[key] = json.loads(text) if text.startswith(("{", "[")) else text
    return config


def dead(user: str, host: str, process: int) -> bool:
    """Whether a holder of a lock was a process of this user on this machine, and is none any more."""
    if (user, host) != (getpass.getuser(), socket.gethostname()):
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, PermissionError):  # the number may be another user's by now
        return True
    return False

"""The pulumi that a rollout runs: the one of its environment, in a session of its own, so that what ends the tool does
not end an update half-way.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation.errors import create_command_error

from rollout import RolloutError


class Engine(automation.PulumiCommand):
    """The pulumi of an environment's PATH; left alone, the Automation API looks for it on the PATH of this process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        found = shutil.which("pulumi", path=environ.get("PATH"))
        if not found:
            raise RolloutError("pulumi is not installed: make install")
        self.command, self.version = found, None  # none of the commands that are used here depends on it
        self._running: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Any = None,
        on_error: Any = None,
    ) -> automation.CommandResult:
        """See PulumiCommand; but the command is in a session of its own: ctrl-C in a terminal, and its closing, reach
        this process alone, which decides whether the update is ended.
        """
        env = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        env["PATH"] = os.pathsep.join([str(Path(self.command).parent), env.get("PATH", os.defpath)])
        process = subprocess.Popen(
            [self.command, *args, *([] if "--non-interactive" in args else ["--non-interactive"])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=env,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        with self._known(process), process:
            stdout, stderr = process.communicate()
        for text, told in ((stdout, on_output), (stderr, on_error)):
            for line in text.splitlines() if told else ():
                told(line)
        result = automation.CommandResult(stdout=stdout, stderr=stderr, code=process.returncode)
        if result.code:
            raise create_command_error(result)
        return result

    def interrupt(self) -> None:
        """Have the command that runs, if any, end in order: pulumi ends what it is doing, writes its state, and lets go
        of its lock.
        """
        with self._lock:
            if self._running and self._running.poll() is None:
                self._running.send_signal(signal.SIGINT)

    @contextmanager
    def _known(self, process: subprocess.Popen[str]) -> Iterator[None]:
        with self._lock:
            self._running = process
        try:
            yield
        finally:
            with self._lock:
                self._running = None

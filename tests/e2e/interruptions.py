"""An `up` that is interrupted at a chosen point, as ctrl-C or `kill -9` does it, and what the next `up` makes of it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.e2e.environment import PROJECT, CommandError, Environment

END_SECONDS = 120
"""Longest time that an interrupted `up` may take to end."""
SHELL = ("/bin/sh", "-c")
"""How the command provider runs its commands."""


@dataclass(frozen=True)
class Point:
    """A moment of an `up`: some seconds after a line of its output."""

    name: str
    line: str
    """Regular expression of the line."""
    after: float = 0.0
    """Seconds between the line and the interruption."""


@dataclass(frozen=True)
class Interruption:
    """How an `up` is interrupted."""

    name: str
    number: signal.Signals
    commands: bool = True
    """Whether SIGKILL ends the commands that the command provider runs, too; else they run on as orphans."""


CTRL_C = Interruption("SIGINT", signal.SIGINT)
KILL = Interruption("SIGKILL", signal.SIGKILL)
KILL_ENGINE = Interruption("SIGKILL, commands run on", signal.SIGKILL, commands=False)


@dataclass(frozen=True)
class Outcome:
    """What an interruption led to."""

    during: str
    """`fresh up` or `release`."""
    point: str
    interruption: str
    seconds: float
    """From the signal to the end of the interrupted `up`."""
    unlocked: bool
    """Whether the stack had to be unlocked with `pulumi cancel`."""
    lost: str = ""
    """Why the next `up` did not go on; empty when it did."""


@dataclass
class Series:
    """Interrupted `up`s of an environment, each going on from where the one before was stopped."""

    environment: Environment
    during: str
    """`fresh up` or `release`."""
    outcomes: list[Outcome] = field(default_factory=list)

    def interrupt(self, point: Point, how: Interruption) -> None:
        """Interrupt an `up` at the point, and unlock the stack where that is needed.

        An `up` that does not get to its point is the loss of the interruption before it.
        """
        with self._judged():
            seconds = interrupted(self.environment, point, how)
        self.outcomes.append(Outcome(self.during, point.name, how.name, seconds, self._unlocked()))
        print(self.outcomes[-1], flush=True)

    def converge(self) -> None:
        """The next `up` goes on to the end, the one after it changes nothing, and there is one cluster."""
        with self._judged():
            self.environment.up()
            assert len(self.environment.containers()) == 1, "one container, and no orphan"
            self.environment.up("--expect-no-changes")

    @contextlib.contextmanager
    def _judged(self) -> Iterator[None]:
        """A failure is the loss of the interruption before it."""
        try:
            yield
        except AssertionError as error:
            if self.outcomes:
                self.outcomes[-1] = replace(self.outcomes[-1], lost=str(error)[-4000:])
            raise

    def _unlocked(self) -> bool:
        """Whether the stack was locked; it is not any more. A locked one says itself which command unlocks it."""
        if not any((self.environment.home / "state" / ".pulumi" / "locks").rglob("*.json")):
            return False
        with pytest.raises(CommandError, match=r"pulumi cancel"):
            self.environment.up()
        self.environment.pulumi("cancel", "--yes")
        return True


def interrupted(environment: Environment, point: Point, how: Interruption) -> float:
    """Run `pulumi up` and interrupt it at the point; seconds that it took to end.

    Fails when it ended before the point came, or by itself.
    """
    command = ["pulumi", "--non-interactive", "--stack", environment.name, "up", "--yes", "--skip-preview"]
    seen: list[str] = []
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env=environment.env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a process group of its own, as a shell's foreground job has
    ) as up:
        assert up.stdout
        for line in up.stdout:
            seen.append(line)
            if re.search(point.line, line):
                break
        else:
            raise AssertionError(f"the up ended before {point.name}:\n{''.join(seen)}")
        time.sleep(point.after)
        assert up.poll() is None, f"the up ended before {point.name}"
        begun = time.monotonic()
        if how.number is signal.SIGINT:
            os.killpg(up.pid, signal.SIGINT)
        else:
            kill(up.pid, how.commands)
        up.stdout.read()
        code = up.wait(END_SECONDS)
    assert code, f"the up was not interrupted at {point.name}"
    return round(time.monotonic() - begun, 1)


def kill(pid: int, commands: bool) -> None:
    """SIGKILL for a process and its descendants, all at one moment; with or without the provider's commands."""
    doomed = descendants(pid, commands)
    for number in (signal.SIGSTOP, signal.SIGKILL):  # stopped first: none sees another one end, and tidies up
        for each in doomed:
            with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(each, number)


def descendants(pid: int, commands: bool) -> list[int]:
    """A process and all below it; commands of the command provider, and what is below them, only where wanted."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended meanwhile
        parents.setdefault(parent, []).append(int(stat.parent.name))
    found, todo = [], [pid]
    while todo:
        each = todo.pop()
        if commands or not is_command(each):
            found.append(each)
            todo += parents.get(each, [])
    return found


def is_command(pid: int) -> bool:
    """Whether a process is one that the command provider runs: a shell, or what a shell became."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return False  # it ended meanwhile
    ours = {"components/commands/run.sh", "components.commands.kind_cluster"} & set(words)
    return tuple(words[:2]) == SHELL or bool(ours) or words[0] == "kind"

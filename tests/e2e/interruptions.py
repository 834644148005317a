"""An `up` that is interrupted at a chosen point, as ctrl-C or `kill -9` does it, and what the next `up` makes of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.environment import PROJECT, CommandError, Environment

END_SECONDS = 120
"""Longest time that an interrupted `up` may take to end."""
LOCKED = "the stack is currently locked"
"""What the engine says of a stack whose last command was killed."""
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
    """What an interruption led to. Times in seconds."""

    point: str
    interruption: str
    ended_after: float
    """From the signal to the end of the interrupted `up`."""
    unlocked: bool
    """Whether the next `up` asked for `pulumi cancel`."""
    up_seconds: float
    """Of the next `up`."""
    lost: str = ""
    """Why the next `up` did not converge; empty when it did."""


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
    for each in doomed:  # none of them sees another one end, and tidies up
        os.kill(each, signal.SIGSTOP)
    for each in doomed:
        os.kill(each, signal.SIGKILL)


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
    return tuple(words[:2]) == SHELL or "components.commands.kind_cluster" in words or words[0] == "kind"


def recovered(environment: Environment, point: Point, how: Interruption) -> Outcome:
    """Interrupt an `up`, unlock the stack where the next one asks for it, and see whether that one converges."""
    ended_after, unlocked, problem, begun = interrupted(environment, point, how), False, "", time.monotonic()
    try:
        try:
            environment.up()
        except CommandError as error:
            if LOCKED not in str(error):
                raise
            unlocked = True
            environment.pulumi("cancel", "--yes")
            begun = time.monotonic()
            environment.up()
        up_seconds = round(time.monotonic() - begun, 1)
        assert len(environment.containers()) == 1, "one container, and no orphan"
        environment.up("--expect-no-changes")
    except AssertionError as error:
        problem, up_seconds = str(error)[-4000:], round(time.monotonic() - begun, 1)
    outcome = Outcome(point.name, how.name, ended_after, unlocked, up_seconds, problem)
    print(outcome, flush=True)
    return outcome

"""The programs that the commands run, and what they tell a person. Standard library only."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO, NoReturn, cast

WAYS = {
    "docker": "Install Docker (https://docs.docker.com/engine/install), and start it",
    "kind": "Take it with the other tools of the checkout: make install && source scripts/activate",
}
"""How a person gets a program that is not on PATH."""
EVERY = 60.0
"""Seconds between two lines about a command that is still at work."""
TAIL = 15
"""Lines of a failed command's messages that are repeated."""


class CommandError(Exception):
    """Something a person has to fix; the message says what and how."""


def run(*command: str) -> str:
    """Standard output of a command. Raises CommandError with the end of its messages when it fails.

    Descriptors that are inheritable go along: the lock of a creation (see creation.py).
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, close_fds=False)
    except FileNotFoundError:
        _missing(command[0])
    if done.returncode:
        raise failed(command, (done.stderr or done.stdout).splitlines())
    return done.stdout


def watched(
    *command: str, what: str, seconds: float, doing: Callable[[Sequence[str]], str], stdin: str | None = None
) -> None:
    """Run a command that may take long. Every minute a line says that it still runs, and what it is doing.

    what: names the work, for that line. seconds: limit; the command is killed when it is over. doing: what the lines
    that the command has printed so far say about its progress; empty: nothing. Raises CommandError when it fails or
    reaches its limit. Descriptors that are inheritable go along, as in `run`.

    The command prints into a pipe that ends with this process: one that goes on as an orphan and prints is ended by it.
    """
    try:
        process = subprocess.Popen(
            command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, close_fds=False
        )
    except FileNotFoundError:
        _missing(command[0])
    lines: list[str] = []
    reader = threading.Thread(target=_read, args=(process, stdin or "", lines), daemon=True)
    reader.start()
    begun = time.monotonic()
    try:
        while (taken := time.monotonic() - begun) < seconds:
            try:
                process.wait(min(EVERY, seconds - taken))
                break
            except subprocess.TimeoutExpired:
                progress = doing(lines)
                say(f"still {what}, for {lasting(time.monotonic() - begun)}{f': {progress}' if progress else ''}")
        else:
            raise CommandError(f"{what} has not come to its end in {lasting(seconds)}: `{_short(command)}` was stopped")
    finally:
        process.kill()  # nothing where it has ended
        process.wait()
    reader.join(5)  # what it started may hold the pipe open
    if process.returncode:
        raise failed(command, lines)


def failed(command: Sequence[str], lines: Sequence[str]) -> CommandError:
    """The error of a command that failed after it printed these lines. Pure."""
    tail = "\n".join([line for line in lines if line.strip()][-TAIL:])
    return CommandError(f"`{_short(command)}` failed:\n{tail}")


def lasting(seconds: float) -> str:
    """A duration for people: `45 s`, `12 min`. Pure."""
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def told(act: Callable[[], None]) -> int:
    """The exit code of a command that does this; what a person has to fix goes to stderr as text."""
    try:
        act()
    except CommandError as error:
        say(str(error))
        return 1
    return 0


def say(message: str) -> None:
    """A line for the person who watches the update; stdout is the kubeconfig's."""
    print(message, file=sys.stderr, flush=True)


def _read(process: subprocess.Popen[str], stdin: str, lines: list[str]) -> None:
    given, printed = cast(IO[str], process.stdin), cast(IO[str], process.stdout)  # it was started with both
    with contextlib.suppress(BrokenPipeError), given:  # broken: it ended before it read all, and says why
        given.write(stdin)
    with printed:
        for line in printed:
            lines.append(line.rstrip())


def _short(command: Sequence[str]) -> str:
    return " ".join(command[:4]) + (" …" if len(command) > 4 else "")


def _missing(program: str) -> NoReturn:
    raise CommandError(f"{program} is not on PATH. {WAYS.get(program, 'Install it')}") from None

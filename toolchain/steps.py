"""What a person sees and waits for: steps with their times, and commands that run in the foreground."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console


@contextmanager
def step(console: Console, title: str) -> Iterator[None]:
    """Say what is being done, and when it is done how long it took."""
    console.print(f"→ {title} …", markup=False, highlight=False)
    begin = time.monotonic()
    yield
    console.print(f"  {title}: {time.monotonic() - begin:.1f} s", markup=False, highlight=False)


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
    """Run a command in the foreground; its exit code.

    The terminal's interrupt reaches the command by itself, a termination is passed on. Either way the command is waited
    for: pulumi cancels in order and gives its lock back only then.
    """
    child: subprocess.Popen[bytes] | None = None
    terminated = False

    def pass_on(number: int, _: FrameType | None) -> None:
        nonlocal terminated
        terminated = terminated or number == signal.SIGTERM
        if terminated and child is not None:
            child.terminate()

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        child = subprocess.Popen(command, cwd=folder, env=dict(environment))
        if terminated:  # before there was a child to pass it on to
            child.terminate()
        return child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

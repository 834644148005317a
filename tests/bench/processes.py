"""What the processes of a command use: memory and processor time, by program, read from /proc while they run."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

EVERY_SECONDS = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Used:
    """What one command used."""

    seconds: float = 0.0
    peak_mib: float = 0.0
    """Largest sum over its processes at one moment (RSS: a page that two of them share counts twice)."""
    peaks_mib: dict[str, float] = field(default_factory=dict)
    """Largest sum of each program's processes."""
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    """Of each program's processes, as long as they were seen."""


class CommandFailedError(Exception):
    """A command failed; the message is its whole output."""


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[str, Used]:
    """Run a command to its end; its output, and what it used. Raises CommandFailedError."""
    used, begun = Used(), time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, env=dict(environment), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, used, ended))
    watcher.start()
    output, _ = process.communicate()
    used.seconds = time.monotonic() - begun
    ended.set()
    watcher.join()
    if process.returncode:
        raise CommandFailedError(f"{' '.join(command)} ended with {process.returncode}:\n{output}")
    return output, used


def _watch(root: int, used: Used, ended: threading.Event) -> None:
    cpu: dict[int, tuple[str, float]] = {}
    while not ended.wait(EVERY_SECONDS):
        sums: dict[str, float] = {}
        for process in _tree(root):
            try:
                name, mib, seconds = _read(process)
            except (OSError, IndexError, ValueError):
                continue  # it has just ended
            sums[name] = sums.get(name, 0.0) + mib
            cpu[process] = (name, seconds)
        for name, mib in sums.items():
            used.peaks_mib[name] = max(used.peaks_mib.get(name, 0.0), mib)
        used.peak_mib = max(used.peak_mib, sum(sums.values()))
    for name, seconds in cpu.values():
        used.cpu_seconds[name] = used.cpu_seconds.get(name, 0.0) + seconds


def _tree(root: int) -> list[int]:
    """A process and all below it."""
    found, todo = list[int](), [root]
    while todo:
        process = todo.pop()
        found.append(process)
        try:
            tasks = list(Path(f"/proc/{process}/task").iterdir())
            todo += [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except OSError:
            continue  # it has just ended
    return found


def _read(process: int) -> tuple[str, float, float]:
    """Name of a process's program, its MiB of memory, its seconds of processor time with those of ended children."""
    stat = Path(f"/proc/{process}/stat").read_text()
    name, _, rest = stat.partition("(")[2].rpartition(")")
    fields = rest.split()
    pages = int(fields[21])
    return name, pages * os.sysconf("SC_PAGE_SIZE") / 2**20, (int(fields[11]) + int(fields[12])) / _TICKS

"""Runs the steps of the build, two at a time, each in a process of its own with its words in a log file.

A process per step keeps the compilers' output off the screen, and ends with everything it started when the build is
stopped. What is done stays in the cache: the same command goes on where it was interrupted.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from offline import cache
from offline.progress import Report
from offline.steps import STEPS, with_needs

# Go compiles on all cores by itself, but links, downloads and packs on one: a second step fills the gaps.
AT_ONCE: Final = 2
POLL_SECONDS: Final = 0.05
LOG_LINES: Final = 15


class StepError(Exception):
    """A step ended badly; the text has the end of its log and the log's path."""


@dataclass
class _Running:
    process: subprocess.Popen[bytes]
    log: Path


def log_file(name: str) -> Path:
    """Where the words of a step are kept until it runs again."""
    return cache.root() / "logs" / f"{name}.log"


def run_steps(names: Sequence[str]) -> None:
    """Run these steps and what they need; raises StepError for the first that fails and stops the others."""
    waiting = with_needs(names)
    done: set[str] = set()
    running: dict[str, _Running] = {}
    with Report(len(waiting)) as report:
        try:
            while waiting or running:
                for name in [each for each in waiting if done.issuperset(STEPS[each].needs)][: AT_ONCE - len(running)]:
                    waiting.remove(name)
                    running[name] = _start(name)
                    report.started(STEPS[name].title)
                time.sleep(POLL_SECONDS)
                report.still_running()
                for name in [each for each, step in running.items() if step.process.poll() is not None]:
                    step = running.pop(name)
                    report.ended(STEPS[name].title, well=step.process.returncode == 0)
                    if step.process.returncode != 0:
                        raise StepError(_account(name, step))
                    done.add(name)
        finally:
            _stop(running)
        report.finish()


def _start(name: str) -> _Running:
    log = log_file(name)
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "offline", "step", name],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return _Running(process, log)


def _stop(running: dict[str, _Running]) -> None:
    going_on = [step for step in running.values() if step.process.poll() is None]
    for step in going_on:
        os.killpg(step.process.pid, signal.SIGTERM)
    for step in going_on:
        step.process.wait()


def _account(name: str, step: _Running) -> str:
    said = step.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join([f"The step `{name}` failed. The end of its log {step.log}:", *(f"  {line}" for line in said)])

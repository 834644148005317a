"""`python -m tests.bench`: the program against the hand, and against the engine's floor, in one run; a table and
JSON.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

import settings as stack
from offline import go_builds
from offline.cache import root
from tests.bench.hand import by_hand
from tests.bench.program import by_program, floor
from tests.e2e.environment import PROJECT, SOURCES, Environment

GOALS = (
    ("first answered request", "first-answer", "hand", "first-answer", 0.9),
    ("everything ready", "ready", "hand", "ready", 0.9),
    ("no-op up", "no-op up", "floor", "floor no-op up", 2.0),
    ("canary flip 50 to 10", "canary flip 50 to 10", "floor", "floor change", 2.0),
)


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=PROJECT / ".local" / "bench.json")
    arguments = parser.parse_args()
    console = Console()
    tools = _tools()
    environment = Environment("bench", root() / "bench")
    environment.clear()
    rounds: list[dict[str, dict[str, float]]] = []
    try:
        for number in range(arguments.rounds):
            console.print(f"round {number + 1} of {arguments.rounds}: by hand, by program, floor …")
            with tempfile.TemporaryDirectory() as folder:
                hand = by_hand(_settings(), Path(folder), tools)
            program = by_program(environment)
            with tempfile.TemporaryDirectory() as folder:
                rounds.append({"hand": hand, "program": program, "floor": floor(environment, Path(folder))})
            console.print(rounds[-1])
    finally:
        environment.clear()
        environment.close()
    _report(console, rounds, arguments.json)


def _tools() -> str:
    """Folders, as a part of PATH, of the kubectl and helm that the hand types."""
    if shutil.which("kubectl") and shutil.which("helm"):
        return ""
    return f"{go_builds.binaries('kubernetes')}:{go_builds.binaries('helm')}"


def _settings() -> stack.Settings:
    raw = {"sources": str(SOURCES)} if SOURCES.exists() else {}
    return stack.load(raw, PROJECT)


def _report(console: Console, rounds: list[dict[str, dict[str, float]]], file: Path) -> None:
    def median(who: str, what: str) -> float:
        return statistics.median(r[who][what] for r in rounds)

    table = Table("figure", "program s", "against", "s", "ratio", "goal", title=f"medians of {len(rounds)} rounds")
    for title, what, who, theirs, goal in GOALS:
        ratio = median("program", what) / median(who, theirs)
        table.add_row(
            title,
            f"{median('program', what):.1f}",
            f"{who}: {theirs}",
            f"{median(who, theirs):.1f}",
            f"{ratio:.2f}",
            f"{'met' if ratio <= goal else 'missed'} (at most {goal:g})",
        )
    over = median("program", "destroy") - median("hand", "destroy")
    table.add_row(
        "destroy",
        f"{median('program', 'destroy'):.1f}",
        "hand: kind delete",
        f"{median('hand', 'destroy'):.1f}",
        f"+{over:.1f} s",
        f"{'met' if over <= 10 else 'missed'} (at most +10 s)",
    )
    console.print(table)
    versions = {
        "machine": platform.platform(),
        "date": time.strftime("%Y-%m-%d"),
        "sources": yaml.safe_load(SOURCES.read_text())["images"] if SOURCES.exists() else "upstream",
    }
    file.write_text(json.dumps({**versions, "rounds": rounds}, indent=2) + "\n")
    console.print(f"written: {file}")


if __name__ == "__main__":
    main()

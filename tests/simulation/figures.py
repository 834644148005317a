"""The figures of the simulation: kept as JSON in the repository, and shown as a table in the documentation."""

from __future__ import annotations

import datetime
import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import scipy

from tests.simulation.rollouts import Result, bound
from tests.simulation.scenarios import LIMITS

ROOT = Path(__file__).resolve().parents[2]
FIGURES = ROOT / "docs" / "figures" / "analysis.json"
DOCUMENT = ROOT / "docs" / "analysis.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
MOST_MISSED = 0.05
LEAST_ROLLOUTS = 2000


def collected(alarms: Sequence[Result], misses: Sequence[Result], seed: int) -> dict[str, Any]:
    """The figures, with date and versions."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {"python": platform.python_version(), "numpy": numpy.__version__, "scipy": scipy.__version__},
        "seed": seed,
        "level": LIMITS.level,
        "false_alarms": [{"name": r.name, "rollouts": r.rollouts, "counted": r.counted} for r in alarms],
        "misses": [{"name": r.name, "rollouts": r.rollouts, "counted": r.counted} for r in misses],
    }


def broken(figures: Mapping[str, Any]) -> list[str]:
    """What the figures were to show, and do not: in sentences."""
    found = []
    for kind, most in (("false_alarms", figures["level"]), ("misses", MOST_MISSED)):
        for result in figures[kind]:
            upper = bound(result["counted"], result["rollouts"])
            if upper > most:
                found.append(f"{result['name']}: {kind} up to {upper:.2%}, at most {most:.0%} wanted")
    return found


def keep(figures: Mapping[str, Any]) -> None:
    """Write the figures, and the table in the document."""
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}{table(figures)}{END}{rest.partition(END)[2]}")


def table(figures: Mapping[str, Any]) -> str:
    """The figures in Markdown. Pure."""
    told = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    lines = [
        f"{figures['date']}, {told}; `SEED={figures['seed']}`.",
        "",
        "| a candidate that keeps to everything | rollouts | failed | upper 95 % bound |",
        "|---|---|---|---|",
        *(_row(result) for result in figures["false_alarms"]),
        "",
        "| a candidate that does not | steps | missed | upper 95 % bound |",
        "|---|---|---|---|",
        *(_row(result) for result in figures["misses"]),
    ]
    return "\n".join(lines) + "\n"


def _row(result: Mapping[str, Any]) -> str:
    rollouts, counted = result["rollouts"], result["counted"]
    upper = bound(counted, rollouts)
    return f"| {result['name']} | {rollouts:,} | {counted} ({counted / rollouts:.2%}) | {upper:.2%} |"

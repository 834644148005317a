"""The figures of interruptions and faults: kept as JSON in the repository, and shown as tables in the documentation."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.e2e.environment import PROJECT, Environment
from tests.e2e.figures import KEEP_FIGURES, versions
from tests.e2e.interruptions import Outcome
from tests.e2e.traffic import Prober

DOCUMENT = PROJECT / "docs" / "trust.md"


def keep_outcomes(environment: Environment, outcomes: Sequence[Outcome], load: Prober | None = None) -> None:
    """Keep the outcomes of one series of interruptions, beside those of the other series.

    load: on a service, during the series.
    """
    series = [
        {**asdict(outcome), "sent": load.sent if load else 0, "lost_requests": len(load.lost) if load else 0}
        for outcome in outcomes
    ]
    of = {(outcome.during, outcome.interruption) for outcome in outcomes}
    kept = json.loads(_file("interruptions").read_text())["outcomes"] if _file("interruptions").exists() else []
    others = [outcome for outcome in kept if (outcome["during"], outcome["interruption"]) not in of]
    keep(environment, "interruptions", {"outcomes": [*others, *series]})


def keep(environment: Environment, name: str, figures: Mapping[str, Any]) -> None:
    """Write figures to docs/figures/<name>.json and as a table into the document, where KEEP_FIGURES asks for it."""
    told = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": versions(environment),
        "cpus": os.cpu_count(),
        **figures,
    }
    print(json.dumps(told, indent=1), flush=True)
    if os.environ.get(KEEP_FIGURES) != "1":
        return
    _file(name).parent.mkdir(exist_ok=True)
    _file(name).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, _, rest = DOCUMENT.read_text().partition(begin)
    DOCUMENT.write_text(f"{before}{begin}{TABLES[name](told)}{end}{rest.partition(end)[2]}")


def interruptions(figures: Mapping[str, Any]) -> str:
    """The figures of interrupted `up`s in Markdown. Pure."""
    rows: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for outcome in figures["outcomes"]:
        rows.setdefault((outcome["during"], outcome["interruption"]), []).append(outcome)
    lines = [
        _head(figures),
        "",
        "| interrupted | by | tried | survived | lost | unlocked | longest time to its end | requests, lost |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (during, by), each in rows.items():
        lost, unlocked = sum(bool(o["lost"]) for o in each), sum(o["unlocked"] for o in each)
        requests = f"{each[0]['sent']:,}, {each[0]['lost_requests']}" if each[0]["sent"] else "–"
        lines.append(
            f"| {during} | {by} | {len(each)} | {len(each) - lost} | {lost} | {unlocked} | "
            f"{max(o['seconds'] for o in each):.1f} s | {requests} |"
        )
    points = dict.fromkeys((o["during"], o["point"]) for o in figures["outcomes"])
    for during in dict.fromkeys(during for during, _ in points):
        lines += ["", f"Points of a {during}: {'; '.join(point for d, point in points if d == during)}."]
    return "\n".join(lines) + "\n"


def faults(figures: Mapping[str, Any]) -> str:
    """The figures of faults in Markdown. Pure."""
    rows = []
    for fault in figures["faults"]:
        cost = f"{fault['sent']:,} | {len(fault['lost'])} | {fault['seconds']:.1f} s | {fault['ups'] or '–'}"
        rows.append(f"| {fault['fault']} | {cost} |")
    head = ["| fault | requests sent | lost | until all was well | `up`s |", "|---|---|---|---|---|"]
    return "\n".join([_head(figures), "", *head, *rows]) + "\n"


def _head(figures: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    return f"{figures['date']}, {figures['cpus']} CPUs, {told}."


def _file(name: str) -> Path:
    return PROJECT / "docs" / "figures" / f"{name}.json"


TABLES = {"interruptions": interruptions, "faults": faults}

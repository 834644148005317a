"""The figures of interruptions and faults: kept as JSON in the repository, and shown as tables in the documentation."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from tests.e2e.environment import PROJECT, Environment
from tests.e2e.figures import KEEP_FIGURES, versions

DOCUMENT = PROJECT / "docs" / "trust.md"


def keep(environment: Environment, name: str, figures: Mapping[str, Any]) -> None:
    """Write figures to docs/figures/<name>.json and as a table into the document, where KEEP_FIGURES asks for it."""
    told = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": versions(environment),
        "cpus": os.cpu_count(),
        **{key: _plain(value) for key, value in figures.items()},
    }
    print(json.dumps(told, indent=1), flush=True)
    if os.environ.get(KEEP_FIGURES) != "1":
        return
    file = PROJECT / "docs" / "figures" / f"{name}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
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
        "| interrupted | by | tried | survived | lost | had to be unlocked | longest end of the interrupted `up` |",
        "|---|---|---|---|---|---|---|",
    ]
    for (during, by), each in rows.items():
        lost, unlocked = sum(bool(o["lost"]) for o in each), sum(o["unlocked"] for o in each)
        lines.append(
            f"| {during} | {by} | {len(each)} | {len(each) - lost} | {lost} | {unlocked} | "
            f"{max(o['seconds'] for o in each):.1f} s |"
        )
    points = dict.fromkeys((o["during"], o["point"]) for o in figures["outcomes"])
    lines += ["", f"Requests during the releases: {figures['requests_sent']:,}, lost: {figures['requests_lost']}.", ""]
    for during in dict.fromkeys(during for during, _ in points):
        lines.append(f"Points of a {during}: {'; '.join(point for d, point in points if d == during)}.")
    return "\n".join(lines) + "\n"


def faults(figures: Mapping[str, Any]) -> str:
    """The figures of faults in Markdown. Pure."""
    rows = [f"| {f['fault']} | {f['sent']:,} | {len(f['lost'])} | {f['seconds']:.1f} s |" for f in figures["faults"]]
    head = ["| fault | requests sent | lost | until all was well |", "|---|---|---|---|"]
    return "\n".join([_head(figures), "", *head, *rows]) + "\n"


def _head(figures: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    return f"{figures['date']}, {figures['cpus']} CPUs, {told}."


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


TABLES = {"interruptions": interruptions, "faults": faults}

"""The figures of the long walk: kept as JSON in the repository, and shown as a table in the documentation."""

from __future__ import annotations

import datetime
import json
import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.e2e.environment import PROJECT, Environment
from tests.e2e.walk import Step, Walk

KEEP_FIGURES = "KEEP_FIGURES"
"""Environment variable: `1` writes the figures of long tests into docs."""
FIGURES = PROJECT / "docs" / "figures" / "transitions.json"
DOCUMENT = PROJECT / "docs" / "transitions.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"
KINDS = {
    "warm": "pods that ran before",
    "new": "a revision that the `up` made",
    "cold": "a revision whose pods were gone: a cold start",
}
"""What a flip leads to, by `Step.onto`."""


def collected(walk: Walk, steps: Sequence[Step], seed: int, first_answer: float) -> dict[str, Any]:
    """The figures of a walk that has ended, with date and versions.

    steps: those of its random part.
    first_answer: seconds to the first answer of a service that was rolled back while it had no pods.
    """
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": versions(walk.environment),
        "cpus": os.cpu_count(),
        "seed": seed,
        "sent": walk.sent,
        "lost": walk.lost,
        "steps": [asdict(step) for step in steps],
        "first_answer_seconds": first_answer,
    }


def versions(environment: Environment) -> dict[str, str]:
    """Versions of what took part, as it says itself."""
    server = json.loads(environment.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
    found = {"pulumi": environment.run("pulumi", "version").strip(), "kubernetes": server}
    for name, namespace in (("controller", "knative-serving"), ("net-kourier-controller", "knative-serving")):
        labels = json.loads(environment.kubectl("get", "deployment", name, "-n", namespace, "-o", "json"))["metadata"]
        found["knative" if name == "controller" else "kourier"] = labels["labels"]["app.kubernetes.io/version"]
    return found


def keep(figures: Mapping[str, Any]) -> None:
    """Write the figures, and the table in the document."""
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    DOCUMENT.write_text(f"{before}{BEGIN}{table(figures)}{END}{rest.partition(END)[2]}")


def table(figures: Mapping[str, Any]) -> str:
    """The figures in Markdown. Pure."""
    steps = figures["steps"]
    told = ", ".join(f"{name} {version}" for name, version in figures["versions"].items())
    lines = [
        f"{figures['date']}, {figures['cpus']} CPUs, {told}; `WALK_SEED={figures['seed']}`.",
        "",
        "| figure | |",
        "|---|---|",
        f"| steps | {len(steps)} |",
        f"| requests sent | {figures['sent']:,} |",
        f"| requests lost | {len(figures['lost'])} |",
        f"| `pulumi up`, median and longest | {_spread(step['up_seconds'] for step in steps)} |",
        f"| from its start to the new shares | {_spread(s['share_seconds'] for s in steps if s['share_seconds'])} |",
        *(
            f"| worst latency of a flip onto {text} ({len(worst)} of the steps) | {_spread(worst)} |"
            for kind, text in KINDS.items()
            if (worst := [step["worst_seconds"] for step in steps if step["onto"] == kind])
        ),
        f"| first answer of a service rolled back while it slept | {figures['first_answer_seconds']:.2f} s |",
        "",
        "| from | to | onto | `up` s | shares after s | sent | lost | worst latency s |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {s['before']} | {s['after']} | {s['onto']} | {s['up_seconds']:.1f} | "
            f"{'–' if s['share_seconds'] is None else format(s['share_seconds'], '.1f')} | {s['sent']:,} | "
            f"{len(s['lost'])} | {s['worst_seconds']:.2f} |"
            for s in steps
        ),
    ]
    return "\n".join(lines) + "\n"


def _spread(values: Iterable[float]) -> str:
    given = list(values)
    return f"{statistics.median(given):.2f} s, {max(given):.2f} s"

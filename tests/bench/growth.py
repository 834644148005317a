"""`python -m tests.bench.growth`: what a stack costs as its services grow in number; a table and JSON.

A kind cluster of its own, the small profile, no stores. Each service has two tracks, stable and a canary, of one image
and begins without pods, so that a node (110 pods) holds them all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from offline.cache import root
from tests.bench.processes import Used, run
from tests.e2e.environment import PROJECT, SOURCES, Environment, eventually

SIZES = (4, 25, 50, 100)
IMAGE = "docker.io/salaboy/notifications-service-0e27884e01429ab7e350cb5dff61b525"
FLIP_GOAL = 1.5
"""How many times a flip with the fewest services one with the most may cost."""
TARGETS = ("--target", "**::service-000", "--target", "**::service-000-canary")
"""What limits an update to one service."""
_STEPS = ("up", "no-op", "flip", "targeted", "abort", "status")


class Growth:
    """One environment whose stack grows."""

    def __init__(self, environment: Environment, console: Console) -> None:
        self._environment, self._console = environment, console
        self._services = environment.home / "services"
        shutil.rmtree(self._services, ignore_errors=True)
        self._services.mkdir()
        knative = {"config": {"config-autoscaler": {"allow-zero-initial-scale": "true"}}}
        environment.configure(str(self._services), application="none", knative=knative, readyWithin="10m")

    def measured(self, size: int, rounds: int) -> dict[str, Any]:
        """The figures of one size; of the steps after the first `up`, those of each round."""
        for number in range(size):
            self._canary(50, number)
        figures: dict[str, Any] = {"services": size}
        self._note(figures, "up", self._up())
        self._all_ready(size)
        figures["state_kib"] = self._state_bytes() / 2**10
        figures["settings_kib"] = sum(file.stat().st_size for file in self._services.iterdir()) / 2**10
        figures["resources"] = len(self._environment.resources())
        for number in range(rounds):
            if number:
                self._canary(50)
                self._up()
            for step, percent in (("no-op", 50), ("flip", 20), ("targeted", 30), ("abort", 0)):
                self._canary(percent)
                self._note(figures, step, self._up(*(TARGETS if step == "targeted" else ())))
                self._is_wanted(percent)
            self._note(figures, "status", self._status())
        return figures

    def _note(self, figures: dict[str, Any], step: str, used: Used) -> None:
        figures.setdefault(step, []).append(asdict(used))
        cpu = ", ".join(f"{name} {seconds:.1f}" for name, seconds in sorted(used.cpu_seconds.items()))
        self._console.print(f"  {step}: {used.seconds:.1f} s, {used.peak_mib:.0f} MiB; processor seconds: {cpu}")

    def _canary(self, percent: int, number: int = 0) -> None:
        """The share of a service's canary."""
        file = self._services / f"service-{number:03}.yaml"
        file.write_text(yaml.safe_dump(_service(percent), sort_keys=False))

    def _up(self, *arguments: str) -> Used:
        environment = self._environment
        command = ["pulumi", "--non-interactive", "--stack", environment.name, "up", "--yes", "--skip-preview"]
        return run([*command, *arguments], PROJECT, environment.env)[1]

    def _is_wanted(self, percent: int) -> None:
        """Fails unless the first service's canary has a share, in the outputs and in the cluster."""
        told = self._environment.outputs()["services"]["service-000"]["tracks"].get("canary", {}).get("percent", 0)
        (service,) = (each for each in self._environment.get("ksvc") if each["metadata"]["name"] == "service-000")
        shares = {each["revisionName"]: each["percent"] for each in service["status"]["traffic"]}
        served = sum(share for name, share in shares.items() if name.startswith("service-000-canary-"))
        assert (told, served) == (percent, percent), f"wanted {percent}, outputs {told}, cluster {served}"

    def _status(self) -> Used:
        environment = self._environment
        command = [str(PROJECT / ".venv" / "bin" / "python"), "-m", "status", "--stack", environment.name]
        return run(command, PROJECT, environment.env)[1]

    def _state_bytes(self) -> int:
        stacks = self._environment.home / "state" / ".pulumi" / "stacks"
        return sum(file.stat().st_size for file in stacks.rglob(f"{self._environment.name}.json"))

    def _all_ready(self, size: int) -> None:
        """Fails unless the cluster has every service Ready, two revisions of each, and no pod of any."""
        objects = self._environment.get
        ready = sum(_is_ready(each) for each in objects("ksvc"))
        revisions = sum(_is_ready(each) for each in objects("revisions.serving.knative.dev"))
        assert (ready, revisions) == (size, 2 * size), f"ready: {ready} services, {revisions} revisions"
        eventually(120, "no pod of a service", lambda: not objects("pods"))


def _service(percent: int) -> dict[str, Any]:
    without_pods = {"minScale": 0, "initialScale": 0}
    canary = {"version": "v1.1.0", "percent": percent, **without_pods}
    return {"image": f"{IMAGE}:v1.0.0", "stable": without_pods, "tracks": {"canary": canary}}


def _is_ready(found: dict[str, Any]) -> bool:
    conditions = found.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(prog="make bench-growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--json", type=Path, default=PROJECT / ".local" / "growth.json")
    arguments = parser.parse_args()
    console, figures = Console(width=120), list[dict[str, Any]]()
    environment = Environment("growth", root() / "growth")
    environment.clear()
    try:
        growth = Growth(environment, console)
        for size in sorted(arguments.sizes):
            console.print(f"{size} services: up, then {arguments.rounds} rounds of no-op, flip, abort, status …")
            figures.append(growth.measured(size, arguments.rounds))
            _write(figures, arguments.json)
            console.print(_table(figures))
    finally:
        environment.clear()
        environment.close()
    console.print(f"written: {arguments.json}")


def median_of(figures: Sequence[dict[str, Any]], key: str) -> float:
    """The median of a figure over rounds."""
    values = sorted(float(each[key]) for each in figures)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def _write(figures: Sequence[dict[str, Any]], file: Path) -> None:
    load = [round(each, 1) for each in os.getloadavg()]
    versions = {"machine": platform.platform(), "cpus": os.cpu_count(), "date": time.strftime("%F"), "load": load}
    images = yaml.safe_load(SOURCES.read_text())["images"] if SOURCES.exists() else "upstream"
    file.write_text(json.dumps({**versions, "sources": images, "sizes": figures}, indent=2) + "\n")


def _table(figures: Sequence[dict[str, Any]]) -> Table:
    title = f"medians; goal: a flip takes at most {FLIP_GOAL:g} times that of the fewest services"
    columns = (*(f"{step} s" for step in _STEPS), "flip CPU s", "peak MiB", "state KiB", "resources", "flip, times")
    table = Table("services", *columns, title=title)
    first = median_of(figures[0]["flip"], "seconds")
    for size in figures:
        flip = median_of(size["flip"], "seconds") / first
        seconds = (f"{median_of(size[step], 'seconds'):.1f}" for step in _STEPS)
        peak = max(each["peak_mib"] for step in _STEPS[:-1] for each in size[step])
        cpu = sorted(sum(each["cpu_seconds"].values()) for each in size["flip"])[len(size["flip"]) // 2]
        goal = "" if size is figures[0] else " (met)" if flip <= FLIP_GOAL else " (missed)"
        table.add_row(
            *(
                str(size["services"]),
                *seconds,
                f"{cpu:.1f}",
                f"{peak:.0f}",
                f"{size['state_kib']:.0f}",
                str(size["resources"]),
            ),
            f"{flip:.2f}{goal}",
        )
    return table


if __name__ == "__main__":
    main()

"""The program, timed: the same environment by `pulumi up`, then what a person waits for every day."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.e2e.environment import Environment
from tests.e2e.traffic import Client

SERVICE = "notifications-service"
CANARY = {SERVICE: {"tracks": {"canary": {"version": "v1.1.0"}}}}


def timed(action: Callable[[], object]) -> float:
    """Seconds that an action takes."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def by_program(environment: Environment) -> dict[str, float]:
    """Seconds to the first answered request and to everything ready; of a no-op, of flips, and of destroy."""
    client = Client(environment.port, seconds=2)
    environment.configure(CANARY, canaryPercent=0)
    figures: dict[str, float] = {}
    watcher = threading.Thread(target=_note_first_answer, args=(client, figures, time.monotonic()))
    watcher.start()
    figures["ready"] = timed(environment.up)
    watcher.join()
    figures["no-op up"] = timed(environment.up)
    environment.configure(CANARY, canaryPercent=50)
    figures["canary up 0 to 50"] = timed(environment.up)
    environment.configure(CANARY, canaryPercent=10)
    figures["canary flip 50 to 10"] = timed(environment.up)
    environment.configure(CANARY, canaryPercent=0)
    figures["abort 10 to 0"] = timed(environment.up)
    figures["destroy"] = timed(environment.destroy)
    return figures


def _note_first_answer(client: Client, figures: dict[str, float], begun: float) -> None:
    while time.monotonic() - begun < 900:
        try:
            client.version(SERVICE)
        except (OSError, AssertionError, ValueError):
            time.sleep(0.2)
            continue
        figures["first-answer"] = time.monotonic() - begun
        return


FLOOR_PROGRAM = '''"""One resource and the project's plugins: the floor of any `up`."""
import pulumi_kubernetes as kubernetes
from pulumi_command import local
import pulumi

kubernetes.Provider("unused", kubeconfig="{}")
local.Command("one", create="true", triggers=[pulumi.Config().get("change") or ""])
'''


def floor(environment: Environment, folder: Path) -> dict[str, float]:
    """Seconds of `up` for a stack with one resource and the same plugins: a no-op, and a change."""
    (folder / "__main__.py").write_text(FLOOR_PROGRAM)
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "floor", "runtime": "python"}))

    def pulumi(*arguments: str) -> str:
        return environment.run("pulumi", "--non-interactive", "--cwd", str(folder), *arguments)

    def up() -> str:
        return pulumi("up", "--yes", "--skip-preview", "--stack", "floor")

    pulumi("stack", "select", "--create", "floor")
    up()
    figures = {"floor no-op up": timed(up)}
    pulumi("config", "set", "--stack", "floor", "change", "1")
    figures["floor change"] = timed(up)
    pulumi("destroy", "--yes", "--skip-preview", "--stack", "floor")
    pulumi("stack", "rm", "--yes", "floor")
    return figures

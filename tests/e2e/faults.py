"""Faults: pods that are killed, a node that is stopped, a cluster that is gone; and what they cost in requests."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.e2e.environment import CommandError, Environment, eventually
from tests.e2e.traffic import Client, Prober

PROBED = "notifications-service"


@dataclass(frozen=True)
class Fault:
    """What a fault cost. Times in seconds."""

    fault: str
    sent: int
    lost: list[str]
    """The requests that were not answered with 200, and what came back."""
    seconds: float
    """From the fault until all was well again."""
    ups: int = 0
    """How many `up`s a release beside the fault took: one, unless the fault made it fail."""


@dataclass
class Pods:
    """The pods that a label selects in a namespace."""

    environment: Environment
    namespace: str
    selector: str

    def kill(self, *how: str) -> None:
        """Delete the first of them, without waiting; `--force --grace-period=0` as a crash, else as a drain does it."""
        self._kubectl("delete", self._names()[0], "--wait=false", *how)

    def ready(self) -> bool:
        """Whether there are pods, all of them ready and none on its way out."""
        items = json.loads(self._kubectl("get", "pods", "-l", self.selector, "-o", "json"))["items"]
        return bool(items) and all(
            not pod["metadata"].get("deletionTimestamp")
            and any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
            for pod in items
        )

    def await_ready(self) -> None:
        """Wait until they are ready."""
        eventually(180, f"pods {self.selector} ready in {self.namespace}", self.ready)

    def _names(self) -> list[str]:
        return self._kubectl("get", "pods", "-l", self.selector, "-o", "name").split()

    def _kubectl(self, *arguments: str) -> str:
        return self.environment.kubectl("--namespace", self.namespace, *arguments)


@dataclass
class Faults:
    """Faults that are caused in an environment under load, and what they cost."""

    environment: Environment
    client: Client
    found: list[Fault] = field(default_factory=list)
    _ups: int = 0

    @contextlib.contextmanager
    def caused(self, name: str) -> Iterator[Prober]:
        """Load from before the fault, which the block causes, until all is well, which the block waits for."""
        self._ups = 0
        with Prober(self.client, PROBED, workers=2) as prober:
            time.sleep(1)
            begun = time.monotonic()
            yield prober
            seconds = round(time.monotonic() - begun, 1)
            time.sleep(1)
        self.found.append(Fault(name, prober.sent, prober.lost, seconds, self._ups))
        print(self.found[-1], flush=True)

    @contextlib.contextmanager
    def during_an_up(self) -> Iterator[None]:
        """An `up` beside the block, of what is configured; where the fault makes it fail, the next one ends well."""
        with ThreadPoolExecutor(1) as beside:
            up = beside.submit(self.environment.up)
            yield
            try:
                up.result()
                self._ups = 1
            except CommandError as error:
                print(error, flush=True)
                self.environment.up()
                self._ups = 2

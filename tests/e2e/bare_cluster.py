"""A second real cluster, that the program did not create: made by hand with kind, images loaded, nothing else in it.

Nothing on it serves LoadBalancers, so the test gives the Service its address itself: the node's, where kube-proxy takes
in what is meant for it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from components.sources.images import ImageMap
from settings import Cluster
from tests.e2e.environment import PROJECT, SOURCES, Environment


class BareCluster:
    """The kind cluster of an environment's name, whose kubeconfig is the environment's."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.kubeconfig = environment.home / "kubeconfig"
        self.context = f"kind-{environment.name}"
        environment.env["KUBECONFIG"] = str(self.kubeconfig)

    def create(self) -> None:
        """Create it, and load the archives of the sources, where there are any."""
        self._create(self.environment.name, self.kubeconfig)
        for archive in _sources().get("archives", []):
            self._kind("load", "image-archive", "--name", self.environment.name, archive)

    @contextmanager
    def another(self) -> Iterator[str]:
        """Within the block the context means another, empty cluster; its node's name."""
        name, kubeconfig = f"{self.environment.name}-other", self.kubeconfig.with_name("other-kubeconfig")
        named = ["--name", name, "--kubeconfig", str(kubeconfig)]
        self._kind("delete", "cluster", *named)  # of a run that was killed
        try:
            self._create(name, kubeconfig)
            kubeconfig.write_text(kubeconfig.read_text().replace(f"kind-{name}", self.context))
            self.environment.env["KUBECONFIG"] = str(kubeconfig)
            yield f"{name}-control-plane"
        finally:
            self.environment.env["KUBECONFIG"] = str(self.kubeconfig)
            self._kind("delete", "cluster", *named)
            kubeconfig.unlink(missing_ok=True)

    def remove(self) -> None:
        """Delete it, and let its stack forget what was in it; what is not there is no error."""
        self._kind("delete", "cluster", "--name", self.environment.name, "--kubeconfig", str(self.kubeconfig))
        self.kubeconfig.unlink(missing_ok=True)
        self.environment.select()
        # A run that was killed left its lock.
        self.environment.run(
            "pulumi", "--non-interactive", "cancel", "--yes", "--stack", self.environment.name, check=False
        )
        self.environment.pulumi("stack", "rm", "--yes", "--force", "--preserve-config")

    @property
    def address(self) -> str:
        """The node's address, which this machine reaches."""
        inspected = json.loads(self.environment.run("docker", "inspect", self.environment.node))
        (network,) = inspected[0]["NetworkSettings"]["Networks"].values()
        return str(network["IPAddress"])

    def configure(self, services: dict[str, Any] | None = None, **settings: Any) -> None:
        """Write the stack's configuration for this cluster."""
        self.environment.configure(services, cluster={"provider": "existing", "context": self.context}, **settings)

    @contextmanager
    def balanced(self) -> Iterator[None]:
        """Give Kourier's Service its address as soon as it is there, as a cloud's load balancer does."""
        ended = threading.Event()
        giver = threading.Thread(target=self._give, args=(self.address, ended))
        giver.start()
        try:
            yield
        finally:
            ended.set()
            giver.join()

    def objects(self, kinds: str, *arguments: str) -> list[dict[str, Any]]:
        """All objects of some kinds."""
        found = json.loads(self.environment.kubectl("get", kinds, "-o", "json", *arguments))
        items: list[dict[str, Any]] = found["items"]
        return items

    def _give(self, address: str, ended: threading.Event) -> None:
        status = json.dumps({"status": {"loadBalancer": {"ingress": [{"ip": address}]}}})
        service = ["service", "kourier", "--namespace", "kourier-system"]
        while not ended.wait(1):
            if self.environment.kubectl("get", *service, "--ignore-not-found", "--output", "name"):
                self.environment.kubectl("patch", *service, "--subresource=status", "--type=merge", "--patch", status)
                return

    def _create(self, name: str, kubeconfig: Path) -> None:
        image = ImageMap(_sources().get("images", {})).redirected(Cluster().node_image)
        self._kind("create", "cluster", "--name", name, "--image", image, "--kubeconfig", str(kubeconfig))

    def _kind(self, *arguments: str) -> None:
        self.environment.run(str(PROJECT / ".local" / "bin" / "kind"), *arguments)


def _sources() -> dict[str, Any]:
    """The sources of this machine; empty: upstream."""
    return yaml.safe_load(SOURCES.read_text()) if SOURCES.exists() else {}

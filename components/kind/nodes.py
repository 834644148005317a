"""What kind clusters Docker has, and whose they are. Standard library only."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from components.kind.processes import CommandError, run, say

MARKER_FOLDER = "/etc/knative-releases/marker/"
KIND_LABEL = "io.x-k8s.kind.cluster"
API_PORT = "6443/tcp"
INSPECTIONS = 10
"""How often Docker is asked, a second apart, while containers come and go."""


@dataclass(frozen=True)
class Node:
    """A container of a kind cluster."""

    id: str
    name: str
    cluster: str
    marker: str
    """`<owner>-<creation>-<random>`; empty for a container that this project did not make."""
    status: str
    """As Docker says it: `running`, `exited`, `paused` …"""
    ports: frozenset[int]
    """On the host."""
    api_port: int | None
    """Port on the host of the Kubernetes API; None for a node without it."""


@dataclass(frozen=True)
class Cluster:
    """A kind cluster that Docker has."""

    nodes: tuple[Node, ...]

    @property
    def markers(self) -> frozenset[str]:
        """The markers of its containers, empty for none."""
        return frozenset(node.marker for node in self.nodes)

    @property
    def ports(self) -> frozenset[int]:
        """Its ports on the host."""
        return frozenset(port for node in self.nodes for port in node.ports)

    def belongs_to(self, owner: str) -> bool:
        """Whether every container of it carries a marker of this owner."""
        return all(marker.startswith(f"{owner}-") for marker in self.markers)


def clusters() -> dict[str, Cluster]:
    """The kind clusters that Docker has, by name; stopped ones too."""
    nodes = [_node(container) for container in _containers()]
    names = {node.cluster for node in nodes}
    return {name: Cluster(tuple(node for node in nodes if node.cluster == name)) for name in names}


def _containers() -> list[dict[str, Any]]:
    """What Docker says of the containers of kind clusters."""
    for attempt in range(INSPECTIONS):
        ids = _ids()
        try:
            found: list[dict[str, Any]] = json.loads(run("docker", "inspect", *ids)) if ids else []
            return found
        except CommandError:
            # Another's container went between the two questions: Docker lists one for a while that it is removing.
            if attempt + 1 == INSPECTIONS:
                raise
            time.sleep(1)
    raise AssertionError("unreachable")


def _ids() -> list[str]:
    return run("docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={KIND_LABEL}").split()


def _node(container: dict[str, Any]) -> Node:
    mounts = [m["Destination"] for m in container["Mounts"] if m["Destination"].startswith(MARKER_FOLDER)]
    bindings: dict[str, list[dict[str, str]]] = container["HostConfig"].get("PortBindings") or {}
    ports = {inside: int(b["HostPort"]) for inside, each in bindings.items() for b in each if b["HostPort"]}
    return Node(
        id=container["Id"],
        name=container["Name"].lstrip("/"),
        cluster=container["Config"]["Labels"][KIND_LABEL],
        marker=mounts[0].removeprefix(MARKER_FOLDER) if mounts else "",
        status=container["State"]["Status"],
        ports=frozenset(ports.values()),
        api_port=ports.get(API_PORT),
    )


def remove(mine: Callable[[Cluster], bool], why: str) -> None:
    """Delete every cluster that is `mine`, saying so."""
    for name, cluster in clusters().items():
        if mine(cluster):
            say(f"removing the cluster {name}: {why}")
            delete_cluster(cluster)


def delete_cluster(cluster: Cluster) -> None:
    """Delete the containers of a cluster and their volumes, as `kind delete cluster` does.

    By their IDs: a cluster of the same name that another run makes meanwhile is not this one. The user's kubeconfig is
    not touched: kind would take a context of the same name out of it.
    """
    ids = [node.id for node in cluster.nodes]
    try:
        run("docker", "rm", "--force", "--volumes", *ids)
    except CommandError:
        # For a command that was killed, Docker may be removing it already, and refuses to do so twice.
        for _ in range(INSPECTIONS):
            if not set(ids) & set(_ids()):
                return
            time.sleep(1)
        raise

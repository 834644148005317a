"""What kind clusters Docker has, and whose they are. Standard library only."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MARKER_FOLDER = "/etc/knative-releases/marker/"
KIND_LABEL = "io.x-k8s.kind.cluster"
API_PORT = "6443/tcp"
INSPECTIONS = 10
"""How often Docker is asked, a second apart, while containers come and go."""


class CommandError(Exception):
    """Something a person has to mend; the message says what and how."""


def run(*command: str, stdin: str | None = None) -> str:
    """Standard output of a command. Raises CommandError with the end of its messages when it fails."""
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise CommandError(f"{command[0]} is not on PATH. Install it, or run: make up") from None
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise CommandError(f"`{' '.join(command[:4])} …` failed:\n{tail}")
    return done.stdout


@dataclass(frozen=True)
class Node:
    """A container of a kind cluster."""

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
        ids = run("docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={KIND_LABEL}").split()
        try:
            found: list[dict[str, Any]] = json.loads(run("docker", "inspect", *ids)) if ids else []
            return found
        except CommandError:
            # Another's container went between the two questions: Docker lists one for a while that it is removing.
            if attempt + 1 == INSPECTIONS:
                raise
            time.sleep(1)
    raise AssertionError("unreachable")


def _node(container: dict[str, Any]) -> Node:
    mounts = [m["Destination"] for m in container["Mounts"] if m["Destination"].startswith(MARKER_FOLDER)]
    bindings: dict[str, list[dict[str, str]]] = container["HostConfig"].get("PortBindings") or {}
    ports = {inside: int(b["HostPort"]) for inside, each in bindings.items() for b in each if b["HostPort"]}
    return Node(
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
            delete_cluster(name)


def delete_cluster(name: str) -> None:
    """Delete a cluster. The user's kubeconfig is not written: kind would take a context of the same name out of it."""
    with tempfile.TemporaryDirectory() as folder:
        run("kind", "delete", "cluster", "--name", name, "--kubeconfig", f"{folder}/kubeconfig")


def told(act: Callable[[], None]) -> int:
    """The exit code of a command that does this; what a person has to mend goes to stderr as text."""
    try:
        act()
    except CommandError as error:
        say(str(error))
        return 1
    return 0


def say(message: str) -> None:
    """A line for the person who watches the update; stdout is the kubeconfig's."""
    print(message, file=sys.stderr, flush=True)

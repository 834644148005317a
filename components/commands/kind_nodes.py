"""What kind clusters Docker has, and whose they are. Standard library only."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

MARKER_FOLDER = "/etc/knative-releases/marker/"
KIND_LABEL = "io.x-k8s.kind.cluster"


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
class Cluster:
    """A kind cluster that Docker has: the markers of its containers (empty for none), its ports on the host."""

    markers: frozenset[str]
    ports: frozenset[int]

    def belongs_to(self, owner: str) -> bool:
        """Whether every container of it carries a marker of this owner."""
        return all(marker.startswith(f"{owner}-") for marker in self.markers)


def clusters() -> dict[str, Cluster]:
    """The kind clusters that Docker has, by name; stopped ones too."""
    ids = run("docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={KIND_LABEL}").split()
    found: dict[str, Cluster] = {}
    for container in json.loads(run("docker", "inspect", *ids)) if ids else []:
        mounts = [m["Destination"] for m in container["Mounts"] if m["Destination"].startswith(MARKER_FOLDER)]
        marker = mounts[0].removeprefix(MARKER_FOLDER) if mounts else ""
        bindings = (container["HostConfig"].get("PortBindings") or {}).values()
        ports = {int(each["HostPort"]) for binding in bindings for each in binding if each["HostPort"]}
        name = container["Config"]["Labels"][KIND_LABEL]
        known = found.get(name, Cluster(frozenset(), frozenset()))
        found[name] = Cluster(known.markers | {marker}, known.ports | ports)
    return found


def remove_own(owner: str, why: str) -> None:
    """Delete every cluster of the owner, saying so."""
    for name, cluster in clusters().items():
        if cluster.belongs_to(owner):
            say(f"removing the cluster {name}: {why}")
            run("kind", "delete", "cluster", "--name", name)


def say(message: str) -> None:
    """A line for the person who watches the update; stdout is the kubeconfig's."""
    print(message, file=sys.stderr, flush=True)

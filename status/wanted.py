"""What the settings want: the outputs of the stack. The last `pulumi up` wrote them, even if it failed.

The kubeconfig is among them; it is handed on in memory, and never printed.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.cluster.kubeconfig import KubeconfigError, of_context
from components.release.urls import CLUSTER_LOCAL
from status import StatusError
from status.model import DEFAULT_NAMESPACE, Revision, Service, Status, Track


@dataclass(frozen=True)
class Wanted:
    """The releases as wanted, and how the cluster is reached."""

    status: Status
    kubeconfig: str = field(repr=False)


def read(stack: str, project: Path, environment: Mapping[str, str]) -> Wanted:
    """The outputs of a stack, asked of pulumi in an environment that has its backend and passphrase.

    Raises StatusError where there is no stack, or nothing in it.
    """
    command = ["pulumi", "--non-interactive", "stack", "output", "--json", "--show-secrets", "--stack", stack]
    try:
        done = subprocess.run(command, cwd=project, env=dict(environment), text=True, capture_output=True, check=False)
    except FileNotFoundError:
        raise StatusError("pulumi is not installed: make install") from None
    if done.returncode:
        raise StatusError(f"The stack {stack} cannot be read:\n{done.stderr.strip()}\nNo stack yet? make up")
    return of_outputs(stack, json.loads(done.stdout))


def of_outputs(stack: str, outputs: Mapping[str, Any]) -> Wanted:
    """The releases that a stack's outputs say. Raises StatusError where they say none."""
    if "services" not in outputs:
        raise StatusError(f"The stack {stack} has no environment: make up")
    address = outputs.get("address") or ("127.0.0.1" if "kubeconfig" in outputs else None)
    services = tuple(
        Service(
            name=name,
            url=said["url"],
            namespace=said.get("namespace", DEFAULT_NAMESPACE),
            info_path=said.get("infoPath"),
            cluster_local=said.get("visibility") == CLUSTER_LOCAL,
            address=address,
            tracks=_tracks(said["tracks"]),
        )
        for name, said in outputs["services"].items()
    )
    return Wanted(Status(stack=stack, cluster=outputs["cluster"], services=services), _kubeconfig(outputs))


def _kubeconfig(outputs: Mapping[str, Any]) -> str:
    """The stack's own kubeconfig; for a cluster that it did not make, that of the user, who keeps it."""
    if "kubeconfig" in outputs:
        return str(outputs["kubeconfig"])
    try:
        return json.dumps(of_context(outputs["cluster"], outputs.get("kubeconfigPath")))
    except KubeconfigError as error:
        raise StatusError(str(error)) from None


def _tracks(said: Mapping[str, Any]) -> tuple[Track, ...]:
    """Stable first; pulumi sorts by name."""
    return tuple(_track(name, said[name]) for name in sorted(said, key=lambda name: (name != "stable", name)))


def _track(name: str, said: Mapping[str, Any]) -> Track:
    return Track(
        name=name,
        version=said["version"],
        wanted=int(said["percent"]),
        tag=said.get("tag"),
        url=said.get("url"),
        header=said.get("header"),
        revision=Revision(name=said["revision"]),
    )

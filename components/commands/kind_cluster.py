"""Create, read and delete the kind cluster of a stack: run by the KindCluster component through pulumi-command.

    python3 -m components.commands.kind_cluster create|kubeconfig|delete|sweep

Everything else comes by environment: CLUSTER_NAME, CLUSTER_OWNER (a word that is this stack's alone), CLUSTER_CREATION
(a word of this creation, see standing.py), CLUSTER_CONFIG (a kind configuration, JSON), NODE_IMAGE, HTTP_PORT, and what
preflight.py reads. The kubeconfig goes to stdout and to no other place. Each creation marks its nodes with the owner
and a word of its own, in their mounts (kind keeps no labels of ours), and writes that marker above the kubeconfig: so a
deletion knows its own creation, and leaves a later one alone. A cluster of another owner is never changed or removed.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from components.kind import node_image
from components.kind.creation import alone
from components.kind.nodes import MARKER_FOLDER, clusters, delete_cluster, remove
from components.kind.preflight import preflight
from components.kind.processes import CommandError, run, say, told, watched

MARKER_LINE = "# made by knative-releases as "
CREATE_SECONDS = 10 * 60.0
"""Limit for kind, whose image is there: half a minute is usual."""


def create(name: str, owner: str) -> str:
    """Create the cluster and return its kubeconfig.

    A failure leaves no container behind, nor an interruption that gives the time to remove it; what is left else is
    known by its marker, and the next creation or the sweep removes it.

    A cluster that the owner has already goes first: this one replaces it, and it holds the name or the port, or else an
    interrupted creation left it.
    """
    with alone(owner) as creation:
        preflight(name, owner)
        node_image.pull(os.environ["NODE_IMAGE"])
        remove(lambda cluster: cluster.belongs_to(owner), "a new one takes its place")
        marker = f"{owner}-{os.environ['CLUSTER_CREATION']}-{secrets.token_hex(4)}"
        creation.begins(marker)
        try:
            kubeconfig = _created(name, marker, creation.kubeconfig)
            creation.ends()
            return f"{MARKER_LINE}{marker}\n{kubeconfig}"
        except BaseException:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            remove(lambda cluster: cluster.markers == {marker}, "its creation did not end well")
            raise


def _created(name: str, marker: str, kubeconfig: Path) -> str:
    """The kubeconfig of a cluster that is made and marked now."""
    config = json.loads(os.environ["CLUSTER_CONFIG"])
    for node in config["nodes"]:
        # /dev/null is on every Docker host, shared folders or not.
        mark = {"hostPath": "/dev/null", "containerPath": MARKER_FOLDER + marker, "readOnly": True}
        node["extraMounts"] = [*node.get("extraMounts", []), mark]
    # --retain: when kind fails it would delete the cluster of this name, whosever that is by then.
    arguments = ["--name", name, "--retain", "--config", "-", "--image", os.environ["NODE_IMAGE"]]
    watched(
        *("kind", "create", "cluster", *arguments, "--kubeconfig", str(kubeconfig)),
        what=f"making the cluster {name}",
        seconds=CREATE_SECONDS,
        doing=step,
        stdin=json.dumps(config),
    )
    return kubeconfig.read_text()


def step(lines: Sequence[str]) -> str:
    """The step that kind is at, by what it prints (` • Starting control-plane …`). Pure."""
    steps = [line.strip(" •.") for line in lines if line.strip().startswith("•")]
    return steps[-1] if steps else ""


def kubeconfig_again(name: str, owner: str) -> str:
    """What `create` printed, read again. Raises CommandError when the cluster is not there or not the owner's."""
    there = clusters().get(name)
    if not there or not there.belongs_to(owner):
        raise CommandError(f"the cluster {name} of this stack is gone. Make it again: pulumi up")
    return f"{MARKER_LINE}{min(there.markers)}\n{run('kind', 'get', 'kubeconfig', '--name', name)}"


def delete(name: str, owner: str, created: str) -> None:
    """Delete the cluster whose creation printed `created`; one that is gone, replaced or another's is no error.

    Where the creation printed nothing there is no marker, and a cluster without one is somebody else's.
    """
    marker = created.partition("\n")[0].removeprefix(MARKER_LINE)
    with alone(owner):
        there = clusters().get(name)
        if marker and there and there.markers == {marker}:
            delete_cluster(there)
        else:
            say(f"no cluster {name} with this stack's marker exists: nothing to delete")


def sweep(owner: str) -> None:
    """Delete what interrupted creations left that the stack does not know of: run when the stack forgets its word."""
    if shutil.which("docker"):
        with alone(owner) as creation:
            remove(lambda cluster: cluster.belongs_to(owner), "an interrupted run left it")
            creation.forget()


def main() -> None:
    """Run the verb that was given. Raises CommandError."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    given = os.environ.get
    match sys.argv[1:]:
        case ["create"]:
            sys.stdout.write(create(given("CLUSTER_NAME", ""), given("CLUSTER_OWNER", "")))
        case ["kubeconfig"]:
            sys.stdout.write(kubeconfig_again(given("CLUSTER_NAME", ""), given("CLUSTER_OWNER", "")))
        case ["delete"]:
            delete(given("CLUSTER_NAME", ""), given("CLUSTER_OWNER", ""), given("PULUMI_COMMAND_STDOUT", ""))
        case ["sweep"] if given("PULUMI_COMMAND_STDOUT"):
            sweep(given("PULUMI_COMMAND_STDOUT", ""))
        case _:
            raise CommandError("usage: kind_cluster create|kubeconfig|delete|sweep, with their environment")


if __name__ == "__main__":
    sys.exit(told(main))

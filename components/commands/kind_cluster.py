"""Create, read and delete one kind cluster: run by the KindCluster component through pulumi-command.

    python3 components/commands/kind_cluster.py create|kubeconfig|delete

Everything else comes by environment: CLUSTER_NAME, CLUSTER_MARKER (a word that is this stack's alone, written into the
node's mounts at creation, since kind keeps no labels of ours), CLUSTER_CONFIG (a kind configuration, JSON), NODE_IMAGE,
HTTP_PORT, MINIMUM_CPUS, MINIMUM_MEMORY_GIB. The kubeconfig goes to stdout and to no other place.
A cluster without the marker is never changed or removed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

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


def nodes(name: str) -> dict[str, str]:
    """The containers of the kind cluster of this name: container id to its marker (empty where it has none)."""
    ids = run("docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={KIND_LABEL}={name}").split()
    found = {}
    for container in json.loads(run("docker", "inspect", *ids)) if ids else []:
        marked = [m["Destination"] for m in container["Mounts"] if m["Destination"].startswith(MARKER_FOLDER)]
        found[container["Id"]] = marked[0].removeprefix(MARKER_FOLDER) if marked else ""
    return found


def is_ours(name: str, marker: str) -> bool:
    """Whether a cluster of this name exists and every container of it carries the marker."""
    found = nodes(name)
    return bool(found) and set(found.values()) == {marker}


def docker_problems(minimum_cpus: float, minimum_memory_gib: float) -> list[str]:
    """What is wrong with Docker and the machine under it."""
    way_out = "\n    Start it (systemctl start docker), or run: make up"
    try:
        info = json.loads(run("docker", "info", "--format", "{{json .}}"))
    except CommandError as error:
        return [f"Docker cannot be used: {error}{way_out}"]
    if info.get("ServerErrors"):
        return [f"Docker cannot be used: {'; '.join(info['ServerErrors'])}{way_out}"]
    problems = []
    if info["NCPU"] < minimum_cpus:
        problems.append(
            f"Docker has {info['NCPU']} CPUs; the chosen profile wants {minimum_cpus:g}. "
            "Give it more, or choose: pulumi config set --path 'knative-releases:knative.profile' small"
        )
    memory = info["MemTotal"] / 2**30
    if memory < minimum_memory_gib:
        problems.append(
            f"Docker has {memory:.1f} GiB of memory; the chosen profile wants {minimum_memory_gib:g}. Give it more"
        )
    return problems


def port_problems(port: int) -> list[str]:
    """Whether the ingress can listen on 127.0.0.1 at the port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except PermissionError:
            return []  # a low port: Docker's own daemon binds it
        except OSError as error:
            return [
                f"port {port} on 127.0.0.1 cannot be used: {error.strerror}. "
                f"Free it (see: ss -ltnp 'sport = :{port}'), "
                "or take another: pulumi config set --path 'knative-releases:cluster.httpPort' 8080"
            ]
    return []


def preflight(name: str, marker: str) -> None:
    """Check all that a creation needs, and remove our own unfinished cluster.

    Raises CommandError that lists every problem.
    """
    problems = docker_problems(float(os.environ["MINIMUM_CPUS"]), float(os.environ["MINIMUM_MEMORY_GIB"]))
    try:
        run("kind", "version")
    except CommandError as error:
        problems.append(str(error))
    if not problems and nodes(name):
        if is_ours(name, marker):
            say(f"removing the unfinished cluster {name} of an interrupted run")
            run("kind", "delete", "cluster", "--name", name)
        else:
            problems.append(
                f"a kind cluster named {name} exists, and this stack did not create it. It is left alone. "
                f"Choose another name: pulumi config set --path 'knative-releases:cluster.name' {name}-2\n"
                f"    or, if it is yours and not needed, delete it: kind delete cluster --name {name}"
            )
    problems += port_problems(int(os.environ["HTTP_PORT"]))
    if problems:
        raise CommandError("the cluster cannot be created:\n" + "\n".join(f"  - {p}" for p in problems))


def create(name: str, marker: str) -> str:
    """Create the cluster and return its kubeconfig. A failure or an interruption leaves no container behind."""
    preflight(name, marker)
    arguments = ["create", "cluster", "--name", name, "--config", "-", "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        try:
            run(
                "kind",
                *arguments,
                "--kubeconfig",
                str(kubeconfig),
                "--image",
                os.environ["NODE_IMAGE"],
                stdin=os.environ["CLUSTER_CONFIG"],
            )
            return kubeconfig.read_text()
        except BaseException:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            if is_ours(name, marker):
                run("kind", "delete", "cluster", "--name", name)
            raise


def delete(name: str, marker: str) -> None:
    """Delete the cluster if it is ours; one that is gone already, or that is not ours, is no error."""
    if is_ours(name, marker):
        run("kind", "delete", "cluster", "--name", name)
    else:
        say(f"no cluster {name} of this stack is there: nothing to delete")


def say(message: str) -> None:
    """A line for the person who watches the update; stdout is the kubeconfig's."""
    print(message, file=sys.stderr, flush=True)


def main() -> int:
    """Run the verb that was given; problems go to stderr as text."""
    for number in (signal.SIGTERM, signal.SIGINT):  # an exit that cleans up, and no traceback
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    name, marker = os.environ["CLUSTER_NAME"], os.environ["CLUSTER_MARKER"]
    try:
        if sys.argv[1:] == ["create"]:
            sys.stdout.write(create(name, marker))
        elif sys.argv[1:] == ["kubeconfig"]:
            sys.stdout.write(run("kind", "get", "kubeconfig", "--name", name))
        elif sys.argv[1:] == ["delete"]:
            delete(name, marker)
        else:
            raise CommandError(f"usage: {sys.argv[0]} create|kubeconfig|delete")
    except CommandError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

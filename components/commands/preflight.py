"""Whether this machine can have the cluster: every problem at once, before anything is changed.

Standard library only.
"""

from __future__ import annotations

import json
import os
import socket

from components.commands.kind_nodes import CommandError, clusters, run


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


def preflight(name: str, owner: str) -> None:
    """Check all that a creation needs. Raises CommandError that lists every problem; nothing is changed."""
    problems = docker_problems(float(os.environ["MINIMUM_CPUS"]), float(os.environ["MINIMUM_MEMORY_GIB"]))
    try:
        run("kind", "version")
    except CommandError as error:
        problems.append(str(error))
    there = {} if problems else clusters()
    if name in there and not there[name].belongs_to(owner):
        problems.append(
            f"a kind cluster named {name} exists, and this stack did not create it. It is left alone. "
            f"Choose another name: pulumi config set --path 'knative-releases:cluster.name' {name}-2\n"
            f"    or, if it is yours and not needed, delete it: kind delete cluster --name {name}"
        )
    port = int(os.environ["HTTP_PORT"])
    if not any(port in cluster.ports for cluster in there.values() if cluster.belongs_to(owner)):
        problems += port_problems(port)
    if problems:
        raise CommandError("the cluster cannot be created:\n" + "\n".join(f"  - {p}" for p in problems))

"""Whether this machine can have the cluster: every problem at once, before anything is changed. Standard library only.

Read from the environment: HTTP_PORT; MINIMUM_CPUS, MINIMUM_MEMORY_GIB and MINIMUM_DISK_GIB, with PROFILE, the profile
that wants them; PACKAGES, the versions of the program's Python packages (a JSON object), and ENGINE, what the engine
that runs the program says against the wanted version of it (empty: nothing).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.commands.kind_nodes import CommandError, clusters, run
from components.commands.node_proxy import proxy_problems

PINNED_KIND = "0.30.0"
PINNED_PACKAGES = {"pulumi": "3.229.0", "pulumi-kubernetes": "4.25.0", "pulumi-command": "1.2.1"}
"""The engine takes the plugins of these versions, too."""
GIB = 2**30


def docker_problems() -> list[str]:
    """What is wrong with Docker and the machine under it."""
    way_out = "\n    Start it (systemctl start docker), or run: make up"
    try:
        info = json.loads(run("docker", "info", "--format", "{{json .}}"))
    except CommandError as error:
        return [f"Docker cannot be used: {error}{way_out}"]
    if info.get("ServerErrors"):
        return [f"Docker cannot be used: {'; '.join(info['ServerErrors'])}{way_out}"]
    return [*size_problems(info, os.environ["PROFILE"]), *disk_problems(info.get("DockerRootDir", ""))]


def size_problems(info: Mapping[str, Any], profile: str) -> Iterator[str]:
    """Whether Docker has the CPUs and the memory that the profile wants."""
    cpus, memory = float(os.environ["MINIMUM_CPUS"]), float(os.environ["MINIMUM_MEMORY_GIB"])
    smaller = (
        "" if profile == "small" else ", or choose: pulumi config set --path 'knative-releases:knative.profile' small"
    )
    if info["NCPU"] < cpus:
        yield f"Docker has {info['NCPU']} CPUs; the profile {profile} wants {cpus:g}. Give it more{smaller}"
    if info["MemTotal"] / GIB < memory:
        given = f"{info['MemTotal'] / GIB:.1f} GiB of memory"
        yield f"Docker has {given}; the profile {profile} wants {memory:g}. Give it more{smaller}"


def disk_problems(folder: str) -> Iterator[str]:
    """Whether Docker's folder has room; unknown, and no problem, where it is inside of a virtual machine."""
    wanted = float(os.environ["MINIMUM_DISK_GIB"])
    if not folder or not Path(folder).is_dir():
        return
    free = shutil.disk_usage(folder).free / GIB
    if free < wanted:
        yield (
            f"{folder} has {free:.1f} GiB free; the cluster and its images want {wanted:g}. "
            "Make room (see what Docker keeps: docker system df)"
        )


def version_problems() -> Iterator[str]:
    """Whether the tools and the packages, and so the plugins, are those that the program is tested with."""
    if os.environ["ENGINE"]:
        yield f"{os.environ['ENGINE']}. Take the wanted one (docs/decisions/0007 says why): make up"
    try:
        found = run("kind", "version").removeprefix("kind v").partition(" ")[0].strip()
        if found != PINNED_KIND:
            yield f"kind is {found}; wanted {PINNED_KIND}, whose node image is used. Take that one, or run: make up"
    except CommandError as error:
        yield str(error)
    packages = json.loads(os.environ["PACKAGES"])
    for name, wanted in PINNED_PACKAGES.items():
        if packages[name] != wanted:
            yield (
                f"the Python package {name} is {packages[name]}; wanted {wanted}, and its plugin. "
                "Run: pip install --requirement requirements.txt"
            )


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
    problems = docker_problems()
    there = {} if problems else clusters()
    problems += [*version_problems(), *proxy_problems()]
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

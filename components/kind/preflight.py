"""Whether this machine can have the cluster: every problem at once, before anything is changed. Standard library only.

Read from the environment: HTTP_PORT; what docker.py reads; PACKAGES, the versions of the program's Python packages (a
JSON object), and ENGINE, what the engine that runs the program says against the wanted version of it (empty: nothing).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

from components.kind.docker import docker_info, docker_problems
from components.kind.node_proxy import proxy_problems
from components.kind.nodes import clusters
from components.kind.ports import port_problems
from components.kind.processes import CommandError, run

PINNED_KIND = "0.30.0"
PINNED_PACKAGES = {"pulumi": "3.229.0", "pulumi-kubernetes": "4.25.0", "pulumi-command": "1.2.1"}
"""The engine takes the plugins of these versions, too."""


def version_problems() -> Iterator[str]:
    """Whether the tools and the packages, and so the plugins, are those that the program is tested with."""
    way = "make install && source scripts/activate"
    if os.environ["ENGINE"]:
        yield f"{os.environ['ENGINE']}. Take the wanted one (docs/decisions/0007 says why): {way}"
    try:
        found = run("kind", "version").removeprefix("kind v").partition(" ")[0].strip()
        if found != PINNED_KIND:
            yield f"kind is {found}; wanted {PINNED_KIND}, whose node image is used. Take that one: {way}"
    except CommandError as error:
        yield str(error)
    packages = json.loads(os.environ["PACKAGES"])
    for name, wanted in PINNED_PACKAGES.items():
        if packages[name] != wanted:
            yield (
                f"the Python package {name} is {packages[name]}; wanted {wanted}, and its plugin. "
                "Run: pip install --requirement requirements.txt"
            )


def preflight(name: str, owner: str) -> None:
    """Check all that a creation needs. Raises CommandError that lists every problem; nothing is changed."""
    info, problems = docker_info()
    problems = problems or docker_problems(info)
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
        problems += port_problems(port, info)
    if problems:
        raise CommandError("the cluster cannot be created:\n" + "\n".join(f"  - {p}" for p in problems))

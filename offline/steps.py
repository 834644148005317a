"""The steps of the build: what each one makes, and which ones it needs before it.

Every step leaves its result in the cache and hands nothing over, so it can run in a process of its own and be
run again. The longest ones stand first, so that two at a time end soonest.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from offline import conference, go_builds, hello, knative, kourier, node, sources, stores, versions

# The programs whose binaries a person runs, or the engine finds on PATH.
COMMANDS: Final = ("pulumi", "pulumi-language-python", "kubernetes-provider", "command-provider", "kind")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step; `title` is what a person reads while it runs."""

    title: str
    run: Callable[[], object]
    needs: tuple[str, ...] = ()


def _go(name: str, title: str) -> Step:
    return Step(title=title, run=lambda: go_builds.binaries(name))


def _node() -> None:
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        raise RuntimeError(
            "No Docker engine answers, and the node image is loaded into one. "
            "Start one with: python -m offline.engine start --state .local/engine"
        )
    kind_files = go_builds.module_folder("kind", "sigs.k8s.io/kind") / "images/base/files"
    kubernetes, etcd, coredns = (go_builds.binaries(name) for name in ("kubernetes", "etcd", "coredns"))
    node.node_image(kubernetes, etcd, coredns, kind_files)


def _serving(release: str) -> Step:
    return Step(title=f"Images of Knative Serving {release}", run=lambda: knative.archive(release))


def _stores() -> None:
    stores.archives()
    stores.charts()


STEPS: Final[Mapping[str, Step]] = {
    "kubernetes": _go("kubernetes", f"Kubernetes {versions.KUBERNETES}"),
    "kubernetes-provider": _go("kubernetes-provider", f"Pulumi's Kubernetes provider {versions.KUBERNETES_PROVIDER}"),
    "pulumi": _go("pulumi", f"Pulumi {versions.PULUMI}"),
    "etcd": _go("etcd", f"etcd {versions.ETCD}"),
    "coredns": _go("coredns", f"CoreDNS {versions.COREDNS}"),
    "kind": _go("kind", f"kind {versions.KIND}"),
    "node": Step(title="The node image", run=_node, needs=("kubernetes", "etcd", "coredns", "kind")),
    **{f"serving-{release}": _serving(release) for release in versions.SERVING},
    "stores": Step(title="Images of Kafka, PostgreSQL and Redis, and their charts", run=_stores),
    "pulumi-language-python": _go("pulumi-language-python", "Pulumi's language host for Python"),
    "kourier": Step(title="Images of Kourier and Envoy", run=kourier.archive),
    "command-provider": _go("command-provider", f"The stand-in for the command provider {versions.COMMAND_PROVIDER}"),
    "conference": Step(title="Images of the stand-in for the conference application", run=conference.archive),
    "hello": Step(title="Images of the stand-in for a sample server, hello-app", run=hello.archive),
    "manifests": Step(title="Manifests of Knative Serving and Kourier", run=sources.manifests),
}


def of_release(release: str) -> list[str]:
    """The steps that an environment with a release of Knative Serving takes: all but the other releases' own."""
    others = {f"serving-{other}" for other in versions.SERVING if other != release}
    return [name for name in STEPS if name not in others]


def with_needs(names: Collection[str]) -> list[str]:
    """These steps and all that they need, in the order of the table."""
    wanted: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name not in wanted:
            wanted.add(name)
            queue.extend(STEPS[name].needs)
    return [name for name in STEPS if name in wanted]

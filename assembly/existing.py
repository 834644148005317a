"""The settings' cluster where it is there already: looked at before anything is registered."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from assembly.cluster import Cluster
from assembly.releases import namespaces
from assembly.stores import NAMESPACE
from components.asked_cluster import AskedCluster
from components.datastores import RELEASES
from components.existing_cluster import ExistingCluster, ExistingClusterArgs
from components.installed_knative import look
from components.kubeconfig import of_context
from components.manifests import Manifest
from components.resolved_sources import ResolvedSources
from settings import Settings


def existing_cluster(settings: Settings, sources: ResolvedSources, claims: Sequence[Manifest]) -> Cluster:
    """The cluster of the settings' context. Raises RunErrors of the kubeconfig, the cluster and its Knative."""
    context, path = settings.cluster.context or "", settings.cluster.kubeconfig
    asked = AskedCluster(of_context(context, path))
    refuse_absent(asked, namespaces(settings))
    installed = None if settings.knative.install else look(asked, settings.knative.domain)
    if sources.archives:
        pulumi.warn(
            f"sources.archives names {len(sources.archives)} archives, which are not loaded: the nodes of the context "
            f"{context} are not this program's. Their images have to be there, or be pulled"
        )
    args = ExistingClusterArgs(asked=asked, path=path, claims=claims, releases=RELEASES, namespace=NAMESPACE)
    existing = ExistingCluster("cluster", args)
    return Cluster(
        provider=existing.provider,
        placement=existing.placement,
        http_port=80,
        installed=installed,
        farewell=existing.farewell,
        guard=existing.guard,
        outputs={"cluster": context, **({"kubeconfigPath": path} if path else {})},
    )


class AbsentNamespaceError(pulumi.RunError):
    """Namespaces of services are not in the cluster; the message names them all, with the commands."""


def refuse_absent(asked: AskedCluster, names: Sequence[str]) -> None:
    """Raise AbsentNamespaceError where the cluster lacks namespaces: who owns the cluster makes them."""
    absent = [name for name in names if asked.get(f"/api/v1/namespaces/{name}") is None]
    if absent:
        commands = "\n".join(f"  - kubectl --context {asked.context} create namespace {name}" for name in absent)
        raise AbsentNamespaceError(
            f"the cluster of the context {asked.context} has no namespace {', '.join(absent)}, which services of this "
            f"stack are in; nothing was changed. Make it, or set another one (services.<name>.namespace):\n{commands}"
        )

"""The settings' cluster where it is there already: looked at before anything is registered."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from app.conference import NAMESPACE
from assembly.cluster import Cluster
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

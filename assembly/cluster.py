"""The cluster that the settings ask for: one that the program makes with kind, or one that is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.cluster.kind import INGRESS_NODE_PORT, KindCluster, KindClusterArgs
from components.cluster.network import Network
from components.cluster.objects import Placement
from components.manifests import Manifest
from components.sources.downloads import inside
from components.sources.images import ImageMap
from components.sources.resolved import ResolvedSources
from settings import Settings

if TYPE_CHECKING:
    from components.knative.installed import InstalledKnative


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster of either kind."""

    provider: kubernetes.Provider
    placement: Placement
    http_port: int
    """Port of the services' URLs."""
    node_port: int | None = None
    """Node port of the ingress; None: it is reached through a load balancer."""
    installed: InstalledKnative | None = None
    """The Knative that is in the cluster already; None: the program installs one."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """For the stack's outputs."""
    farewell: Callable[[Sequence[str], Sequence[pulumi.Resource]], pulumi.Resource] | None = None
    """See `components.cluster.existing.ExistingCluster.farewell`; None: all goes with the cluster."""
    guard: Callable[[Sequence[pulumi.Resource]], None] = lambda _: None
    """Told all that was put into it; see `components.cluster.existing.ExistingCluster.guard`."""


def cluster(
    settings: Settings, sources: ResolvedSources, images: ImageMap, network: Network, claims: Sequence[Manifest]
) -> Cluster:
    """The cluster of the settings. claims: what will be put into it, as far as an existing one could have it."""
    if settings.cluster.provider == "existing":
        from assembly.existing import existing_cluster  # noqa: PLC0415 - loads the Kubernetes client, which is slow

        return existing_cluster(settings, sources, claims)
    args = KindClusterArgs(
        cluster_name=settings.cluster.name,
        http_port=settings.cluster.http_port,
        node_image=images.redirected(settings.cluster.node_image),
        archives=sources.archives,
        downloads=inside(images.redirected, sources.archives.values()),
        profile=settings.knative.profile,
        network=network,
    )
    kind = KindCluster("cluster", args)
    return Cluster(
        provider=kind.provider,
        placement=kind.placement,
        http_port=settings.cluster.http_port,
        node_port=INGRESS_NODE_PORT,
        outputs={"cluster": settings.cluster.name, "kubeconfig": kind.kubeconfig},
    )

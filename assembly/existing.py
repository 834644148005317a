"""The settings' cluster where it is there already: looked at before anything is registered."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from assembly.claims import made_by_knative
from assembly.cluster import Cluster
from assembly.releases import namespaces
from assembly.serving import needed_features
from assembly.stores import NAMESPACE
from components.cluster.api_paths import collection_of
from components.cluster.asked import KUBE_SYSTEM, AskedCluster, volumes_of
from components.cluster.existing import ExistingCluster, ExistingClusterArgs, outside
from components.cluster.kubeconfig import of_context
from components.knative.installed import DEFAULT_TAG_TEMPLATE, look, looked_at
from components.manifests import Manifest
from components.sources.resolved import ResolvedSources
from settings import Settings


def existing_cluster(settings: Settings, sources: ResolvedSources, claims: Sequence[Manifest]) -> Cluster:
    """The cluster of the settings' context. Raises RunErrors of the kubeconfig, the cluster and its Knative."""
    context, path = settings.cluster.context or "", settings.cluster.kubeconfig
    asked = AskedCluster(of_context(context, path))
    by_knative = made_by_knative(settings, DEFAULT_TAG_TEMPLATE)
    read = [] if settings.knative.install else looked_at()
    lists = [collection_of(claim) for claim in outside([*claims, *by_knative])]
    spaces = {name: f"/api/v1/namespaces/{name}" for name in namespaces(settings)}
    volumes = [volumes_of(NAMESPACE)] if settings.stores else []
    asked.look_ahead([KUBE_SYSTEM, *read, *lists, *spaces.values(), *volumes])
    refuse_absent(asked, [name for name, path in spaces.items() if asked.get(path) is None])
    installed = None if settings.knative.install else look(asked, settings.knative.domain, needed_features(settings))
    if installed:
        by_knative = made_by_knative(settings, installed.tag_template)
    if installed and not installed.has_kourier:
        pulumi.info(
            f"the ingress class of the cluster's Knative is {installed.ingress_class} and not Kourier's: guided "
            "rollouts cannot read its gateway. Give them --source prometheus:<URL>, or probes"
        )
    if sources.archives:
        pulumi.warn(
            f"sources.archives names {len(sources.archives)} archives, which are not loaded: the nodes of the context "
            f"{context} are not this program's. Their images have to be there, or be pulled"
        )
    args = ExistingClusterArgs(
        asked=asked, path=path, claims=[*claims, *by_knative], releases=settings.stores, namespace=NAMESPACE
    )
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


def refuse_absent(asked: AskedCluster, absent: Sequence[str]) -> None:
    """Raise AbsentNamespaceError where the cluster lacks namespaces: who owns the cluster makes them."""
    if absent:
        commands = "\n".join(f"  - kubectl --context {asked.context} create namespace {name}" for name in absent)
        raise AbsentNamespaceError(
            f"the cluster of the context {asked.context} has no namespace {', '.join(absent)}, which services of this "
            f"stack are in; nothing was changed. Make it, or set another one (services.<name>.namespace):\n{commands}"
        )

"""Knative and its ingress as the settings ask for them: installed by the program, or there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from assembly.cluster import Cluster
from components.cluster.network import Network
from components.knative import config, features
from components.knative.config import refuse, with_given
from components.knative.kourier import INGRESS_CLASS, Kourier, KourierArgs
from components.knative.load_balancer import LoadBalancer, domain_of
from components.knative.serving import KnativeServing, KnativeServingArgs, configuration
from components.sources.images import ImageMap
from components.sources.resolved import ResolvedSources
from settings import Settings
from settings.definitions import DEFAULT_NAMESPACE


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What services need of Knative."""

    domain: pulumi.Input[str]
    """Domain of the services' URLs."""
    needs: Sequence[pulumi.Resource] = ()
    """What is ready before a service starts."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """For the stack's outputs."""


def serving(
    settings: Settings, sources: ResolvedSources, images: ImageMap, network: Network, cluster: Cluster
) -> Serving:
    """Knative Serving with Kourier in a cluster; on one that has a Knative, just what is known of it."""
    if cluster.installed:
        return Serving(domain=cluster.installed.domain, outputs={"knative": cluster.installed.version})
    on_cluster, small = pulumi.ResourceOptions(providers=[cluster.provider]), settings.knative.profile == "small"
    balancer = None
    if cluster.node_port is None:
        balancer = LoadBalancer("load-balancer", sources.kourier, cluster.placement, on_cluster)
    domain = settings.knative.domain or _derived(balancer)
    knative_args = KnativeServingArgs(
        definitions=sources.definitions,
        core=sources.core,
        images=images,
        small=small,
        configuration=with_given(configuration(INGRESS_CLASS, domain), settings.knative.config),
        activator_replicas=settings.knative.activator_replicas,
        network=network,
        placement=cluster.placement,
    )
    knative = KnativeServing("knative-serving", knative_args, on_cluster)
    kourier_args = KourierArgs(
        manifests=sources.kourier,
        images=images,
        small=small,
        node_port=cluster.node_port,
        entrance=balancer,
        replicas=settings.kourier.replicas,
        namespaces=knative.namespaces,
        definitions=knative.definitions,
        placement=cluster.placement,
    )
    kourier = Kourier("kourier", kourier_args, on_cluster)
    needs: list[pulumi.Resource] = [knative, kourier, *([balancer] if balancer else [])]
    if cluster.farewell:
        needs.append(cluster.farewell(_ingresses(settings), needs))
    return Serving(domain=domain, needs=needs, outputs={"address": balancer.address} if balancer else {})


def refuse_configuration(settings: Settings, sources: ResolvedSources) -> None:
    """Raise KnativeConfigError for settings of Knative's ConfigMaps that cannot be merged into the release's, and for
    features that services need and nobody turns on.
    """
    if not settings.knative.install:
        return
    ours = {name: data if isinstance(data, Mapping) else {} for name, data in configuration(INGRESS_CLASS, "").items()}
    given = settings.knative.config
    on = {**given.get(features.CONFIG_MAP, {}), **ours[features.CONFIG_MAP]}
    refuse(
        [
            *config.problems(ours, given, sources.core),
            *features.problems(needed_features(settings), on, sources.core),
        ]
    )


def needed_features(settings: Settings) -> dict[str, str]:
    """Knative's feature flags that services need, each with the first service and field that needs it. Pure."""
    found: dict[str, str] = {}
    for name, definition in settings.definitions.items():
        for template in (definition.template, *definition.track_templates.values()):
            for flag, reason in features.needed(template).items():
                found.setdefault(flag, f"service {name}: {reason}")
    return found


def _derived(balancer: LoadBalancer | None) -> pulumi.Output[str]:
    if balancer is None:
        raise ValueError("a cluster without a load balancer needs a domain")  # settings.rules has told it
    return balancer.address.apply(domain_of)


def _ingresses(settings: Settings) -> list[str]:
    """The services' names, behind their namespace where it is not the default one."""
    spaces = {name: each.namespace for name, each in settings.definitions.items()}
    return [name if spaces[name] == DEFAULT_NAMESPACE else f"{spaces[name]}/{name}" for name in settings.services]

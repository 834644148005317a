"""The settings as frozen, typed values: what a stack may say, with the tutorial's values as defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from settings.base import Frozen as _Settings
from settings.network import Network
from settings.rollouts import Rollout
from settings.types import (
    DomainName,
    EnvironmentName,
    ExactText,
    Label,
    Percent,
    Port,
    Quantity,
    Replicas,
    Repository,
    Scale,
    SemanticVersion,
    Text,
    Version,
    Wait,
)


class Cluster(_Settings):
    """The cluster that everything is put into: a kind cluster that the program creates, or one that is there."""

    provider: Literal["kind", "existing"] = "kind"
    """`kind`: made by the program; `existing`: any Kubernetes cluster that a kubeconfig reaches."""
    name: Annotated[Label, Field(max_length=40)] = "dev"
    http_port: Port = 80
    """Port on 127.0.0.1 where the ingress listens."""
    node_image: str = (
        "docker.io/kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a"
    )
    """Image of the node, which is Kubernetes' version; the one that kind 0.30.0 was released with."""
    context: Text | None = None
    """Of an existing cluster: its context in the kubeconfig."""
    kubeconfig: Text | None = None
    """Of an existing cluster: path of the kubeconfig, which is only read; unset: $KUBECONFIG, else ~/.kube/config."""


class Knative(_Settings):
    """Knative Serving and its ingress."""

    version: SemanticVersion = "1.10.2"
    kourier_version: SemanticVersion = "1.10.0"
    install: bool = True
    """False: Knative and its ingress are in the existing cluster already; they are looked at and not changed."""
    domain: DomainName | None = "127.0.0.1.sslip.io"
    """Domain of the services' URLs; sslip.io answers any name with the address inside it. None (existing clusters
    alone): made from the address of the load balancer, or what the Knative that is there says."""
    profile: Literal["small", "released"] = "small"
    """`small`: 10m CPU and 32Mi requested a container, quick starts, for clusters of two cores;
    `released`: the release's own requests (1.2 cores for Knative and Kourier alone)."""
    activator_replicas: Replicas = 1
    """Pods at least of the activator, which holds the requests of versions without pods."""
    config: Mapping[str, Mapping[str, Text]] = Field(default_factory=dict)
    """Entries of Knative Serving's ConfigMaps, by ConfigMap (`config-deployment`), besides those that the program
    sets."""


class Kourier(_Settings):
    """The ingress, as far as it is not a matter of its release."""

    replicas: Replicas = 1
    """Pods at least of the gateway, which every request from outside goes through."""


class Kafka(_Settings):
    """Chart version and volume of Kafka."""

    chart_version: SemanticVersion = "22.1.5"
    size: Quantity = "1Gi"
    storage_class: Label | None = None
    """Storage class of the volume; unset: the chart's, which is the cluster's default."""
    topic: Label = "events-topic"


class PostgreSQL(_Settings):
    """Chart version and volume of PostgreSQL."""

    chart_version: SemanticVersion = "12.5.7"
    size: Quantity = "1Gi"
    storage_class: Label | None = None
    """Storage class of the volume; unset: the chart's, which is the cluster's default."""


class Redis(_Settings):
    """Chart version and volume of Redis."""

    chart_version: SemanticVersion = "17.11.3"
    size: Quantity = "1Gi"
    storage_class: Label | None = None
    """Storage class of the volume; unset: the chart's, which is the cluster's default."""


class Sources(_Settings):
    """Where manifests, charts and images come from; upstream unless redirected."""

    manifests: str = "https://github.com/knative"
    """Directory or URL, laid out like the releases of the upstream repositories below it."""
    charts: str = "oci://registry-1.docker.io/bitnamicharts"
    """OCI base, repository URL, or directory with a folder for each chart."""
    images: Mapping[Repository, Repository] = Field(default_factory=dict)
    """Image redirection; components.images says how a reference is mapped."""
    archives: tuple[str, ...] = ()
    """Image archives (`docker save` format) loaded into the cluster's node before anything runs there."""


class VersionSettings(_Settings):
    """What stable and tracks have in common: one version of a service, and how it runs."""

    version: Version
    tag: Label | None = None
    """Knative traffic tag: its own URL, and the value for the Knative-Serving-Tag header."""
    env: Mapping[EnvironmentName, ExactText] = Field(default_factory=dict)
    """Environment variables beside the service's own; the same name replaces."""
    min_scale: Scale | None = None
    """Pods kept at least; unset: the service's own (1 for frontend and notifications-service, else 0)."""
    max_scale: Scale | None = None
    initial_scale: Scale | None = None
    concurrency: Annotated[Scale, Field(le=1000)] | None = None
    """Requests that one pod handles at once (`containerConcurrency`); unset or 0: no limit."""
    cpu: Quantity | None = None
    memory: Quantity | None = None
    restart: ExactText | None = None
    """Any text; a new one makes a new revision of the same version."""


class Stable(VersionSettings):
    """The version that takes what the tracks leave."""

    version: Version = "v1.0.0"


class Track(VersionSettings):
    """Another version beside stable."""

    percent: Percent
    """Its share. Unset in the stack: `canaryPercent` for the track named canary, 0 for others."""


class Service(_Settings):
    """The versions of one service."""

    stable: Stable = Stable()
    tracks: Mapping[Label, Track] = Field(default_factory=dict)

    @property
    def deployed_tracks(self) -> dict[str, Track]:
        """The tracks that get requests or have a tag; one at 0 % without a tag is not deployed."""
        return {name: track for name, track in self.tracks.items() if track.percent or track.tag}


class Settings(_Settings):
    """Everything that a stack's configuration says."""

    canary_percent: Percent = 0
    ready_within: Wait = "2m"
    """Limit for each released object to become ready, its image's pull included."""
    cluster: Cluster = Cluster()
    knative: Knative = Knative()
    kourier: Kourier = Kourier()
    kafka: Kafka = Kafka()
    postgresql: PostgreSQL = PostgreSQL()
    redis: Redis = Redis()
    sources: Sources = Sources()
    network: Network = Network()
    services: Mapping[Label, Service] = Field(default_factory=dict)
    rollouts: Mapping[Label, Rollout] = Field(default_factory=dict)
    """Guided rollouts, by service: planned, under way, or ended."""

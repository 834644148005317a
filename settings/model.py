"""The settings as frozen, typed values: what a stack may say, with the tutorial's values as defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr

from settings.application import Application
from settings.base import Frozen as _Settings
from settings.definitions import STORES, Definition
from settings.network import Network
from settings.releases import Service
from settings.rollouts import Rollout
from settings.service_files import ServiceFiles
from settings.types import (
    DomainName,
    Label,
    Percent,
    Port,
    Quantity,
    Replicas,
    Repository,
    SemanticVersion,
    Text,
    Wait,
)

DEFAULT_TOPIC = "events-topic"


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
    topic: Label = DEFAULT_TOPIC


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
    """Image redirection; components.sources.images says how a reference is mapped."""
    archives: tuple[str, ...] = ()
    """Image archives (`docker save` format) loaded into the cluster's node before anything runs there."""


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
    application: Text | None = None
    """Folder of Knative Service manifests, each a service; `none`: only services of `services`."""
    services: Mapping[Label, Service] = Field(default_factory=dict)
    rollouts: Mapping[Label, Rollout] = Field(default_factory=dict)
    """Guided rollouts, by service: planned, under way, or ended."""
    _application: Application = PrivateAttr(default_factory=Application)
    _service_files: ServiceFiles | None = PrivateAttr(default=None)

    @property
    def definitions(self) -> Mapping[str, Definition]:
        """What each service is, by name."""
        return self._application.definitions

    @property
    def service_files(self) -> ServiceFiles | None:
        """The files that `services` names; None: the stack's own settings say what it is."""
        return self._service_files

    @property
    def scripts(self) -> Mapping[str, str]:
        """SQL that a new volume of PostgreSQL runs, by the file's name."""
        return self._application.scripts

    @property
    def stores(self) -> tuple[str, ...]:
        """The stores that a service needs."""
        needed = {store for each in self.definitions.values() for store in each.needs}
        return tuple(store for store in STORES if store in needed)

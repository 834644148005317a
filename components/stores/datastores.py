"""Kafka, PostgreSQL and Redis: Helm releases of the Bitnami charts, each with a volume of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.helm.v3 import Release

from components.cluster.objects import OWNER_ANNOTATION, Placement, register
from components.manifests import own
from components.sources.downloads import READY_SECONDS
from components.sources.images import ImageMap, Reference
from components.stores import interrupted_release, waiting
from components.stores import password as store_password
from components.stores import volume as store_volume

REPOSITORY = "docker.io/bitnamilegacy"
"""Bitnami's images left docker.io/bitnami in 2025; those of these chart versions are kept here."""
_IMAGES = {"security": {"allowInsecureImages": True}}
"""Charts since the end of 2024 take no image from another place without this word; older ones do not know it."""


@dataclass(frozen=True, kw_only=True)
class DatastoreArgs:
    """What the three have in common."""

    chart: str
    """Its path, relative to the project's folder (`components.sources.charts`)."""
    size: str
    """Size of the volume, a Kubernetes quantity."""
    storage_class: str | None = None
    """Class of the volume; None: the chart's, which is the cluster's default."""
    images: ImageMap
    namespace: str
    placement: Placement = Placement()


@dataclass(frozen=True)
class InitScripts:
    """SQL files that a database runs when its volume is new, and the ConfigMap that holds them."""

    config_map: str
    files: Mapping[str, str]


class _Datastore(pulumi.ComponentResource):
    """A component around one Helm release."""

    def _release(
        self,
        name: str,
        args: DatastoreArgs,
        values: Mapping[str, Any],
        depends_on: Sequence[pulumi.Resource] = (),
        change: tuple[store_password.Login, pulumi.Output[str]] | None = None,
    ) -> Release:
        """change: of the store's password, how it is made and which one the settings have."""
        opts = args.placement.options(self, depends_on, [args.images.redirected(f"{REPOSITORY}/{name}")])
        opts.hooks = _hooks(name, args, change)
        return Release(
            name,
            name=name,
            namespace=args.namespace,
            chart=args.chart,
            values={
                **values,
                "image": image_values(args.images, name),
                "global": {**values.get("global", {}), **_IMAGES},
            },
            timeout=READY_SECONDS,
            opts=opts,
        )


class Kafka(_Datastore):
    """One Kafka broker (KRaft) with a topic. Ready when the topic is there."""

    def __init__(self, name: str, args: DatastoreArgs, topic: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("knative-releases:index:Kafka", name, None, opts)
        self._release(
            "kafka",
            args,
            {
                # Without it the chart makes no topic, and the tutorial's own values rely on auto-creation.
                "provisioning": {"enabled": True, "topics": [{"name": topic, "partitions": 1}]},
                "persistence": volume(args),
            },
        )
        self.register_outputs({})


class PostgreSQL(_Datastore):
    """One PostgreSQL server, with a script that runs when its volume is new."""

    def __init__(
        self,
        name: str,
        args: DatastoreArgs,
        password: pulumi.Input[str],
        init: InitScripts,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("knative-releases:index:PostgreSQL", name, None, opts)
        metadata = {"name": init.config_map, "namespace": args.namespace}
        scripts = own({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(init.files)})
        depends_on = register([scripts], self, [], args.placement)
        secret = pulumi.Output.secret(password)
        values = {
            # The scripts run as the user postgres with its password. Given to them as well, the chart would write it
            # in plain text into the StatefulSet.
            "primary": {"initdb": {"scriptsConfigMap": init.config_map}, "persistence": volume(args)},
            "global": {"postgresql": {"auth": {"postgresPassword": secret}}},
        }
        self._release("postgresql", args, values, depends_on, (store_password.POSTGRESQL, secret))
        self.register_outputs({})


class Redis(_Datastore):
    """One Redis server without replicas."""

    def __init__(
        self, name: str, args: DatastoreArgs, password: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("knative-releases:index:Redis", name, None, opts)
        secret = pulumi.Output.secret(password)
        self._release(
            "redis",
            args,
            {
                "architecture": "standalone",
                "master": {"persistence": volume(args)},
                # Without it the chart draws a new password at every upgrade, which the running server does not have.
                "auth": {"password": secret},
            },
            change=(store_password.REDIS, secret),
        )
        self.register_outputs({})


def _hooks(
    name: str, args: DatastoreArgs, change: tuple[store_password.Login, pulumi.Output[str]] | None
) -> pulumi.ResourceHookBinding:
    """What is done before a release is made or updated, in a cluster that can be asked; and what reports the wait."""
    waits = waiting.hooks(f"the release {name}")
    config, ours = args.placement.kubeconfig, args.placement.deleted_with is not None
    if config is None:
        return waits
    hooks = interrupted_release.hooks(name, args.namespace, config, ours)
    wanted = store_volume.WantedVolume(size=args.size, storage_class=args.storage_class)
    updates = [store_volume.hook(name, args.namespace, config, wanted, ours=ours)]
    updates += [store_password.hook(name, args.namespace, config, *change)] if change else []
    repairs = pulumi.ResourceHookBinding(
        before_create=hooks.before_create, before_update=[*(hooks.before_update or []), *updates]
    )
    return pulumi.ResourceHookBinding.merge(repairs, waits)


def volume(args: DatastoreArgs) -> dict[str, Any]:
    """The chart's `persistence` values."""
    storage_class = {"storageClass": args.storage_class} if args.storage_class else {}
    # Helm leaves the claims when a release goes. The word on them tells the next stack that the data is not its own.
    owner = {"annotations": {OWNER_ANNOTATION: args.placement.owner}} if args.placement.owner else {}
    return {"size": args.size, **storage_class, **owner}


def image_values(images: ImageMap, name: str) -> dict[str, str]:
    """The chart's `image` values for a datastore's image, redirected. Tag and digest are the chart's own unless
    redirected to one.
    """
    reference = Reference.parse(images.redirected(f"{REPOSITORY}/{name}"))
    values = {
        "registry": reference.registry,
        "repository": reference.path,
        "tag": reference.tag,
        "digest": reference.digest,
    }
    return {name: value for name, value in values.items() if value}

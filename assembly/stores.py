"""The data stores that the services of a stack need: a topic, tables, a cache. What nobody needs is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.cluster.objects import Placement
from components.sources.images import ImageMap
from components.stores.datastores import DatastoreArgs, InitScripts, Kafka, PostgreSQL, Redis
from settings import Kafka as KafkaSettings
from settings import PostgreSQL as PostgreSQLSettings
from settings import Redis as RedisSettings
from settings import Settings

NAMESPACE = "default"
INIT_CONFIG_MAP = "c4p-init-sql"
"""The scripts of a new database; named after the one that the conference application brings."""


@dataclass(frozen=True, kw_only=True)
class StoresArgs:
    """Charts, sizes, where images come from, and the passwords."""

    settings: Settings
    charts: Mapping[str, str]
    """Paths of the charts, by the names of the stores."""
    images: ImageMap
    postgresql_password: pulumi.Input[str]
    redis_password: pulumi.Input[str]
    placement: Placement


class Stores(pulumi.ComponentResource):
    """Kafka with its topic, PostgreSQL with the application's tables, Redis: those that a service needs."""

    needs: Mapping[str, Sequence[pulumi.Resource]]
    """The stores that each service stops without, by the service's name."""

    def __init__(self, name: str, args: StoresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        # The type's name is in the state of stacks that run: with another one all inside would be replaced.
        super().__init__("knative-releases:index:ConferenceStores", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        made = {store: self._store(store, args, child) for store in args.settings.stores}
        definitions = args.settings.definitions
        self.needs = {service: [made[need] for need in each.needs] for service, each in definitions.items()}
        self.register_outputs({})

    def _store(self, store: str, args: StoresArgs, child: pulumi.ResourceOptions) -> pulumi.Resource:
        settings = args.settings
        if store == "kafka":
            return Kafka(store, _store(args, store, settings.kafka), settings.kafka.topic, child)
        if store == "redis":
            return Redis(store, _store(args, store, settings.redis), args.redis_password, child)
        init = InitScripts(INIT_CONFIG_MAP, dict(settings.scripts))
        return PostgreSQL(store, _store(args, store, settings.postgresql), args.postgresql_password, init, child)


def chart_versions(settings: Settings) -> dict[str, str]:
    """The charts that the stores are made from, with their versions."""
    versions = {
        "kafka": settings.kafka.chart_version,
        "postgresql": settings.postgresql.chart_version,
        "redis": settings.redis.chart_version,
    }
    return {store: versions[store] for store in settings.stores}


def _store(args: StoresArgs, name: str, settings: KafkaSettings | PostgreSQLSettings | RedisSettings) -> DatastoreArgs:
    return DatastoreArgs(
        chart=args.charts[name],
        size=settings.size,
        storage_class=settings.storage_class,
        images=args.images,
        namespace=NAMESPACE,
        placement=args.placement,
    )

"""The data stores of the conference application: its topic, its tables, its cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from app.conference import NAMESPACE
from app.services import INIT_CONFIG_MAP, INIT_SQL, SERVICES
from components.datastores import DatastoreArgs, InitScripts, Kafka, PostgreSQL, Redis
from components.images import ImageMap
from components.objects import Placement
from settings import Kafka as KafkaSettings
from settings import PostgreSQL as PostgreSQLSettings
from settings import Redis as RedisSettings
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class ConferenceStoresArgs:
    """Charts, sizes, where images come from, and the passwords."""

    settings: Settings
    charts: Mapping[str, str]
    """Paths of the charts, by the names of the stores."""
    images: ImageMap
    postgresql_password: pulumi.Input[str]
    redis_password: pulumi.Input[str]
    placement: Placement


class ConferenceStores(pulumi.ComponentResource):
    """Kafka with the events' topic, PostgreSQL with the proposals' table, Redis."""

    needs: Mapping[str, Sequence[pulumi.Resource]]
    """The stores that each service stops without, by the service's name."""

    def __init__(self, name: str, args: ConferenceStoresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("knative-releases:index:ConferenceStores", name, None, opts)
        settings, child = args.settings, pulumi.ResourceOptions(parent=self)
        kafka = Kafka("kafka", _store(args, "kafka", settings.kafka), settings.kafka.topic, child)
        init = InitScripts(INIT_CONFIG_MAP, INIT_SQL)
        postgresql_args = _store(args, "postgresql", settings.postgresql)
        postgresql = PostgreSQL("postgresql", postgresql_args, args.postgresql_password, init, child)
        redis = Redis("redis", _store(args, "redis", settings.redis), args.redis_password, child)
        stores: dict[str, list[pulumi.Resource]] = {service: [kafka] for service in SERVICES}
        stores["c4p-service"].append(postgresql)
        stores["agenda-service"].append(redis)
        self.needs = stores
        self.register_outputs({})


def chart_versions(settings: Settings) -> dict[str, str]:
    """The charts that the stores are made from, with their versions."""
    return {
        "kafka": settings.kafka.chart_version,
        "postgresql": settings.postgresql.chart_version,
        "redis": settings.redis.chart_version,
    }


def _store(
    args: ConferenceStoresArgs, name: str, settings: KafkaSettings | PostgreSQLSettings | RedisSettings
) -> DatastoreArgs:
    return DatastoreArgs(
        chart=args.charts[name],
        size=settings.size,
        storage_class=settings.storage_class,
        images=args.images,
        namespace=NAMESPACE,
        placement=args.placement,
    )

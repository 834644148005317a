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
from settings import Settings


@dataclass(frozen=True, kw_only=True)
class ConferenceStoresArgs:
    """Chart versions and sizes, where charts and images come from, and the passwords."""

    settings: Settings
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
        kafka = Kafka(
            "kafka", _store(args, settings.kafka.chart_version, settings.kafka.size), settings.kafka.topic, child
        )
        postgresql = PostgreSQL(
            "postgresql",
            _store(args, settings.postgresql.chart_version, settings.postgresql.size),
            args.postgresql_password,
            InitScripts(INIT_CONFIG_MAP, INIT_SQL),
            child,
        )
        redis = Redis(
            "redis", _store(args, settings.redis.chart_version, settings.redis.size), args.redis_password, child
        )
        stores: dict[str, list[pulumi.Resource]] = {service: [kafka] for service in SERVICES}
        stores["c4p-service"].append(postgresql)
        stores["agenda-service"].append(redis)
        self.needs = stores
        self.register_outputs({})


def _store(args: ConferenceStoresArgs, chart_version: str, size: str) -> DatastoreArgs:
    return DatastoreArgs(
        charts=args.settings.sources.charts,
        chart_version=chart_version,
        size=size,
        images=args.images,
        namespace=NAMESPACE,
        placement=args.placement,
    )

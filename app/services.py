"""The four services of the conference application, as the tutorial's YAML says them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TOPIC = "events-topic"
"""The topic of the events, the services' own default."""
TOPIC_GROUP = "app"
"""Kafka consumer group of the frontend, its own default."""
INIT_CONFIG_MAP = "c4p-init-sql"
INIT_SQL = {
    "init.sql": "CREATE TABLE proposals( id VARCHAR PRIMARY KEY NOT NULL, title VARCHAR NOT NULL, "
    "description TEXT NOT NULL, author VARCHAR NOT NULL, email VARCHAR NOT NULL, approved boolean, "
    "status VARCHAR NOT NULL);",
}
"""Scripts that the database runs on a new volume."""


def _value(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value}


def _secret(name: str, secret: str, key: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _pod_field(name: str, path: str) -> dict[str, Any]:
    # apiVersion is what Kubernetes adds; left out, the revision's template would differ from its own defaulted form.
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


_POD = [
    _pod_field("POD_NODENAME", "spec.nodeName"),
    _pod_field("POD_NAME", "metadata.name"),
    _pod_field("POD_NAMESPACE", "metadata.namespace"),
    _pod_field("POD_IP", "status.podIP"),
    _pod_field("POD_SERVICE_ACCOUNT", "spec.serviceAccountName"),
]
_KAFKA = _value("KAFKA_URL", "kafka.default.svc.cluster.local")
_AGENDA = _value("AGENDA_SERVICE_URL", "http://agenda-service.default.svc.cluster.local")
_C4P = _value("C4P_SERVICE_URL", "http://c4p-service.default.svc.cluster.local")
_NOTIFICATIONS = _value("NOTIFICATIONS_SERVICE_URL", "http://notifications-service.default.svc.cluster.local")


@dataclass(frozen=True, kw_only=True)
class ServiceDefinition:
    """One service: where its images are, its environment, and how many pods it keeps."""

    repository: str
    env: Sequence[Mapping[str, Any]]
    min_scale: int | None = None
    """Pods kept; None: it scales to zero."""
    track_env: Mapping[str, str] = field(default_factory=dict)
    """Variables that a track needs for itself; `{track}` stands for its name."""
    info_path: str = "/service/info"
    """Path that answers with the version and the pod's name (`version`, `podName`), as JSON."""


SERVICES: Mapping[str, ServiceDefinition] = {
    "frontend": ServiceDefinition(
        repository="docker.io/salaboy/frontend-go-1739aa83b5e69d4ccb8a5615830ae66c",
        env=[_KAFKA, _AGENDA, _C4P, _NOTIFICATIONS, *_POD],
        min_scale=1,
        info_path="/api/service/info",
        # Two versions in one consumer group share the topic's only partition: one of them would see no events.
        track_env={"KAFKA_GROUP_ID": f"{TOPIC_GROUP}-{{track}}"},
    ),
    "c4p-service": ServiceDefinition(
        repository="docker.io/salaboy/c4p-service-a3dc0474cbfa348afcdf47a8eee70ba9",
        env=[
            _KAFKA,
            _value("POSTGRES_HOST", "postgresql.default.svc.cluster.local"),
            _secret("POSTGRES_PASSWORD", "postgresql", "postgres-password"),
            _AGENDA,
            _NOTIFICATIONS,
            *_POD,
        ],
    ),
    "agenda-service": ServiceDefinition(
        repository="docker.io/salaboy/agenda-service-0967b907d9920c99918e2b91b91937b3",
        env=[
            _KAFKA,
            _value("REDIS_HOST", "redis-master.default.svc.cluster.local"),
            _secret("REDIS_PASSWORD", "redis", "redis-password"),
            *_POD,
        ],
    ),
    "notifications-service": ServiceDefinition(
        repository="docker.io/salaboy/notifications-service-0e27884e01429ab7e350cb5dff61b525",
        env=[_KAFKA, *_POD],
        min_scale=1,
    ),
}


def topic_variable(topic: str) -> dict[str, str]:
    """The variable that names the topic of the events; none for the services' own, so that revisions keep their
    names.
    """
    return {} if topic == TOPIC else {"KAFKA_TOPIC": topic}


def environment(definition: ServiceDefinition, track: str | None, extra: Mapping[str, str]) -> list[dict[str, Any]]:
    """A version's variables: the service's own, its track's, and the extra ones, which replace those of the same
    name.
    """
    own = {name: value.format(track=track) for name, value in definition.track_env.items()} if track else {}
    replaced = {**own, **extra}
    kept = [dict(variable) for variable in definition.env if variable["name"] not in replaced]
    return [*kept, *(_value(name, replaced[name]) for name in sorted(replaced))]

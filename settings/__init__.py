"""The only reader of the stack's configuration: frozen, typed settings, all problems told at once. Creates no
resource.
"""

from settings.definitions import Definition
from settings.load import from_stack, load, secret, services
from settings.model import (
    Cluster,
    Kafka,
    Knative,
    Kourier,
    PostgreSQL,
    Redis,
    Settings,
    Sources,
)
from settings.problems import Problem, SettingsError
from settings.releases import Service, Stable, Track, VersionSettings
from settings.rollouts import CANDIDATE, Rollout, State, service_settings
from settings.rules import warnings

__all__ = [
    "CANDIDATE",
    "Cluster",
    "Definition",
    "Kafka",
    "Knative",
    "Kourier",
    "PostgreSQL",
    "Problem",
    "Redis",
    "Rollout",
    "Service",
    "Settings",
    "SettingsError",
    "Sources",
    "Stable",
    "State",
    "Track",
    "VersionSettings",
    "from_stack",
    "load",
    "secret",
    "service_settings",
    "services",
    "warnings",
]

"""The only reader of the stack's configuration: frozen, typed settings, all problems told at once. Creates no
resource.
"""

from settings.load import from_stack, load, secret
from settings.model import (
    Cluster,
    Kafka,
    Knative,
    Kourier,
    PostgreSQL,
    Redis,
    Service,
    Settings,
    Sources,
    Stable,
    Track,
    VersionSettings,
)
from settings.problems import Problem, SettingsError
from settings.rollouts import CANDIDATE, Rollout, State, service_settings
from settings.rules import warnings

__all__ = [
    "CANDIDATE",
    "Cluster",
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
    "warnings",
]

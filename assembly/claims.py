"""What a stack makes in its cluster under names that somebody else could have taken there. Pure."""

from __future__ import annotations

from assembly.stores import INIT_CONFIG_MAP, NAMESPACE
from components.manifests import Manifest
from components.released_service import configuration_name
from components.resolved_sources import ResolvedSources
from settings import Settings

_KNATIVE = "serving.knative.dev/v1"


def claims(settings: Settings, sources: ResolvedSources) -> list[Manifest]:
    """The objects of the releases, the services and their tracks, the stores' own; Helm guards its releases itself."""
    spaces = {name: each.namespace for name, each in settings.definitions.items()}
    services = [_object(_KNATIVE, "Service", name, spaces[name]) for name in settings.services]
    tracks = [
        _object(_KNATIVE, "Configuration", configuration_name(name, track), spaces[name])
        for name, service in settings.services.items()
        for track in service.deployed_tracks
    ]
    scripts = [_object("v1", "ConfigMap", INIT_CONFIG_MAP, NAMESPACE)] if "postgresql" in settings.stores else []
    return [*sources.definitions, *sources.core, *sources.kourier, *services, *tracks, *scripts]


def _object(api: str, kind: str, name: str, namespace: str) -> Manifest:
    return {"apiVersion": api, "kind": kind, "metadata": {"namespace": namespace, "name": name}}

"""What a stack makes in its cluster under names that somebody else could have taken there. Pure."""

from __future__ import annotations

import re
from typing import Any

from assembly.stores import INIT_CONFIG_MAP, NAMESPACE
from components.cluster.objects import OWNER_ANNOTATION
from components.cluster.ownership import TAKEN_OVER
from components.manifests import Manifest
from components.release.plan import configuration_name
from components.sources.resolved import ResolvedSources
from settings import Settings

_KNATIVE = "serving.knative.dev/v1"


def claims(settings: Settings, sources: ResolvedSources) -> list[Manifest]:
    """The objects of the releases, the services and their tracks, the stores' own; Helm guards its releases itself."""
    spaces = {name: each.namespace for name, each in settings.definitions.items()}
    services = [
        _object(_KNATIVE, "Service", spaces[name], name, take_over=service.take_over)
        for name, service in settings.services.items()
    ]
    tracks = [
        _object(_KNATIVE, "Configuration", spaces[name], configuration_name(name, track))
        for name, service in settings.services.items()
        for track in service.deployed_tracks
    ]
    scripts = [_object("v1", "ConfigMap", NAMESPACE, INIT_CONFIG_MAP)] if "postgresql" in settings.stores else []
    return [*sources.definitions, *sources.core, *sources.kourier, *services, *tracks, *scripts]


def made_by_knative(settings: Settings, tag_template: str) -> list[Manifest]:
    """The objects that Knative makes for the services, under names that follow from the services' and the tags': each
    with the owner that Knative gives it.

    tag_template: of the cluster's config-network. Where it is made of more than tag and name, tags are left out.
    """
    claimed = []
    for name, service in settings.services.items():
        space = settings.definitions[name].namespace
        claimed += [_object(_KNATIVE, kind, space, name, ("Service", name)) for kind in ("Configuration", "Route")]
        tags = [service.stable.tag, *(track.tag for track in service.deployed_tracks.values())]
        hosts = [name, *(_tagged(tag_template, tag, name) for tag in tags if tag)]
        claimed += [_object("v1", "Service", space, host, ("Route", name)) for host in hosts if host]
    return claimed


def _tagged(template: str, tag: str, service: str) -> str | None:
    """What Knative's template makes of a tag and a service's name; None where it is made of more than these."""
    host = re.sub(r"{{-?\s*\.Name\s*-?}}", service, re.sub(r"{{-?\s*\.Tag\s*-?}}", tag, template))
    return None if "{{" in host else host


def _object(
    api: str, kind: str, namespace: str, name: str, maker: tuple[str, str] | None = None, take_over: bool = False
) -> Manifest:
    """maker: kind and name of what Knative makes the object for; None: the stack makes it itself."""
    metadata: dict[str, Any] = {"namespace": namespace, "name": name}
    if take_over:
        metadata["annotations"] = {OWNER_ANNOTATION: TAKEN_OVER}
    if maker:
        metadata["ownerReferences"] = [dict(zip(("kind", "name"), maker, strict=True))]
    return {"apiVersion": api, "kind": kind, "metadata": metadata}

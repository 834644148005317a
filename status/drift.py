"""What somebody changed in the cluster after the last `pulumi up`, which the next `up` may not see. Pure.

An `up` compares the settings with the stack's state, not with the cluster. Who wrote a part of an object last is in its
`managedFields`: what is still the stack's own, though it is not what the outputs say, is an `up` that failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from components.knative.api import Object
from components.manifests import FIELD_MANAGER
from components.release.plan import configuration_name
from components.release.readiness import PUT_BACK
from status.cluster import Objects
from status.model import Track


def drift(service: str, tracks: Sequence[Track], objects: Objects) -> Iterator[str]:
    """What differs from what the stack wrote, and the command that takes it back; nothing where all is as written."""
    wanted = [track for track in tracks if track.wanted is not None]
    found = objects.services[service]
    if _targets(found) != {_target(each.revision.name, each.wanted, each.tag) for each in wanted}:
        yield from _changed(found, f"Service {service}", "traffic")
    for track in wanted:
        name = configuration_name(service, track.name or "stable")
        kind, holder = ("Service", found) if name == service else ("Configuration", objects.configurations.get(name))
        if holder and _template(holder) != track.revision.name:
            yield from _changed(holder, f"{kind} {name}", "template")


def _changed(found: Object, name: str, part: str) -> Iterator[str]:
    """The sentence, where somebody else wrote this part of the spec last."""
    others = [f for f in found["metadata"].get("managedFields", []) if f["manager"] != FIELD_MANAGER]
    writers = [each for each in others if f"f:{part}" in each.get("fieldsV1", {}).get("f:spec", {})]
    if writers:
        last = max(writers, key=lambda each: str(each.get("time", "")))
        yield (
            f"{name}: {last['manager']} changed its {part} at {last.get('time', 'an unknown time')}. An `up` that "
            f"changes nothing else does not see it; to take it back: {PUT_BACK}"
        )


def _targets(service: Object) -> set[tuple[str, int, str]]:
    """The revisions, shares and tags that the Service asks for, whether they are served yet or not."""
    traffic: Sequence[Mapping[str, Any]] = service.get("spec", {}).get("traffic", [])
    return {_target(each.get("revisionName", "latest"), each.get("percent"), each.get("tag")) for each in traffic}


def _target(revision: str, percent: int | None, tag: str | None) -> tuple[str, int, str]:
    return revision, percent or 0, tag or ""


def _template(found: Object) -> str:
    """The name that the next revision is to have; empty where Knative chooses one."""
    name: str = found.get("spec", {}).get("template", {}).get("metadata", {}).get("name", "")
    return name

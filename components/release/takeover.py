"""A Service that exists and that this program did not make: taken over where the settings ask for it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi

from components.cluster.objects import OWNER_ANNOTATION
from components.manifests import FIELD_MANAGER

Object = Mapping[str, Any]
_DEFAULTS = {
    "containerConcurrency": 0,
    "timeoutSeconds": 300,
    "enableServiceLinks": False,
    "resources": {},
    "name": "user-container",
    "readinessProbe": {"successThreshold": 1, "tcpSocket": {"port": 0}},
}
"""What Knative's webhook writes into a template that does not say it."""


class TakeoverError(pulumi.RunError):
    """A Service of this name exists, which another tool made; the message says how to take it over."""


def taken_over(
    service: str, found: Object | None, wanted: Object, *, asked_for: bool, own_cluster: bool = False
) -> str | None:
    """What to say of a Service that this update takes over; None where it takes over none.

    found: the cluster's Service of this name. wanted: the spec to be sent. asked_for: the setting `takeOver`.
    own_cluster: whether the cluster is the stack's own, whose objects have no owner's word on them.
    Raises TakeoverError where it is somebody else's, and the setting does not ask for it, or it is another stack's.
    """
    if not found:
        return None
    name = f"Knative Service {found['metadata'].get('namespace', 'default')}/{service}"
    if own_cluster and OWNER_ANNOTATION in found["metadata"].get("annotations", {}):
        raise TakeoverError(f"the {name} exists, and another stack made it. Choose another name or namespace for yours")
    if not foreign(found):
        return None
    makers = ", ".join(sorted(_makers(found)))
    if not asked_for:
        raise TakeoverError(
            f"the {name} exists, and this stack did not make it (made by: {makers}). It is left alone; "
            f"nothing of it was changed\nTake it over: pulumi config set --path "
            f"'knative-releases:services.{service}.takeOver' true\nOr choose another name for the service"
        )
    lines = "".join(f"\n  - {change}" for change in changes(found["spec"], wanted)) or " nothing changes"
    return f"takes over the {name} (made by: {makers}):{lines}"


def foreign(found: Object) -> bool:
    """Whether others wrote an object's spec, and this program nothing of it."""
    makers = _makers(found)
    return bool(makers) and FIELD_MANAGER not in makers


def changes(found: Object, wanted: Object) -> list[str]:
    """What a takeover changes in a Service's spec: paths with the value before and after. Knative's own defaults, and
    the revision's name, are left out.
    """
    before, after = (_flat(_said(spec["template"])) for spec in (found, wanted))
    paths = [*after, *(path for path in before if path not in after)]
    different = [path for path in paths if before.get(path) != after.get(path)]
    lines = [f"template {path}: {_shown(before.get(path))} -> {_shown(after.get(path))}" for path in different]
    shares = [", ".join(_share(each) for each in spec.get("traffic") or []) for spec in (found, wanted)]
    return [*lines, *([f"traffic: {shares[0]} -> {shares[1]}"] if shares[0] != shares[1] else [])]


def _makers(found: Object) -> set[str]:
    """Who wrote parts of its spec."""
    entries = found["metadata"].get("managedFields", [])
    return {each["manager"] for each in entries if "f:spec" in each.get("fieldsV1", {})}


def _said(template: Object) -> dict[str, Any]:
    """A template without what Knative fills in, with its variables by name."""
    spec = {key: value for key, value in template["spec"].items() if value != _DEFAULTS.get(key, ...)}
    containers = [_container(each) for each in spec.get("containers") or []]
    metadata = template.get("metadata") or {}
    notes = {key: metadata[key] for key in ("annotations", "labels") if metadata.get(key)}
    return {**notes, **spec, "containers": containers}


def _container(container: Object) -> dict[str, Any]:
    said = {key: value for key, value in container.items() if value != _DEFAULTS.get(key, ...)}
    if "env" in said:
        said["env"] = {each["name"]: each.get("value", each.get("valueFrom")) for each in said["env"]}
    return said


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """The leaves of a value by their paths."""
    return dict(_leaves(value, path))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]")
    else:
        yield path, value


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)


def _share(target: Object) -> str:
    tag = f" (tag {target['tag']})" if target.get("tag") else ""
    return f"{target.get('revisionName') or 'the latest revision'} {target.get('percent') or 0} %{tag}"

"""Knative's feature flags that a revision's template needs, by the fields it has. Pure.

From Knative Serving's `pkg/apis/serving/fieldmask.go` and `k8s_validation.go`, 1.10 to 1.23: a field behind a flag that
is off is refused by the webhook, which a first preview cannot ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from components.manifests import Manifest

CONFIG_MAP = "config-features"
_FIELDS = {
    field: f"kubernetes.podspec-{field.lower()}"
    for field in (
        *("affinity", "dnsConfig", "dnsPolicy", "hostAliases", "hostIPC", "hostNetwork", "hostPID", "nodeSelector"),
        *("priorityClassName", "runtimeClassName", "schedulerName", "securityContext", "shareProcessNamespace"),
        *("tolerations", "topologySpreadConstraints"),
    )
}
_VOLUMES = {
    "csi": "kubernetes.podspec-volumes-csi",
    "emptyDir": "kubernetes.podspec-volumes-emptydir",
    "ephemeral": "kubernetes.podspec-volumes-ephemeral",
    "hostPath": "kubernetes.podspec-volumes-hostpath",
    "image": "kubernetes.podspec-volumes-image",
    "persistentVolumeClaim": "kubernetes.podspec-persistent-volume-claim",
}
_ON = {"multi-container": "enabled", "kubernetes.podspec-volumes-emptydir": "enabled"}
"""Flags that are on where the ConfigMap does not say otherwise."""
_ONLY_ENABLED = frozenset(
    {
        "kubernetes.podspec-init-containers",
        "kubernetes.podspec-persistent-volume-claim",
        "kubernetes.podspec-persistent-volume-write",
        "kubernetes.podspec-volumes-emptydir",
        "multi-container",
        "tag-header-based-routing",
    }
)
"""Flags that Knative compares with `enabled`; for the others, `allowed` is enough."""


def needed(template: Mapping[str, Any]) -> dict[str, str]:
    """The flags that a template needs, each with the first field that needs it."""
    found: dict[str, str] = {}
    for flag, field in _needs(template["spec"]):
        found.setdefault(flag, field)
    return found


def off(flags: Mapping[str, str], data: Mapping[str, str]) -> dict[str, str]:
    """Of needed flags those that a cluster's config-features leaves off.

    data: of the ConfigMap, without its example.
    """
    return {flag: field for flag, field in flags.items() if not _on(flag, {**_ON, **data}.get(flag, "").lower())}


def _on(flag: str, value: str) -> bool:
    return value == "enabled" or (value == "allowed" and flag not in _ONLY_ENABLED)


def problems(flags: Mapping[str, str], data: Mapping[str, str], core: Sequence[Manifest]) -> Iterator[str]:
    """What is wrong with the flags that services need of a Knative that the program installs, each with the way out.

    core: objects of the release's serving-core.yaml.
    """
    missing = off(flags, data)
    has = known(core) if missing else frozenset()
    for flag, field in missing.items():
        needs = f"{field} needs Knative's feature {flag}, which"
        path = f'knative-releases:knative.config.{CONFIG_MAP}["{flag}"]'
        if has and flag not in has:
            yield f"{needs} this release lacks. Take a newer one (knative.version)"
        else:
            yield f"{needs} is off. Run: pulumi config set --path '{path}' enabled"


def known(core: Sequence[Manifest]) -> frozenset[str]:
    """The flags of a release: those of the example in its config-features.

    core: objects of the release's serving-core.yaml.
    """
    maps = [each for each in core if each["kind"] == "ConfigMap" and each["metadata"]["name"] == CONFIG_MAP]
    example = [yaml.load(each.get("data", {}).get("_example", ""), Loader=yaml.CSafeLoader) for each in maps]
    return frozenset(flag for flags in example for flag in flags or {})


def _needs(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field, flag in _FIELDS.items():
        if spec.get(field):
            yield flag, field
    containers, first = spec.get("containers") or [], spec.get("initContainers") or []
    if first:
        yield "kubernetes.podspec-init-containers", "initContainers"
    if len(containers) > 1:
        yield "multi-container", "containers"
    for volume in spec.get("volumes") or []:
        yield from _of_volume(volume)
    for container in (*first, *containers):
        yield from _of_container(container)
    for container in containers if len(containers) > 1 else []:
        if not container.get("ports") and (container.get("readinessProbe") or container.get("livenessProbe")):
            yield "multi-container-probing", f"the probes of container {container.get('name')}"


def _of_volume(volume: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind, flag in _VOLUMES.items():
        if kind in volume:
            yield flag, f"volume {volume.get('name')} ({kind})"
    claim = volume.get("persistentVolumeClaim")
    if claim and not claim.get("readOnly"):
        yield "kubernetes.podspec-persistent-volume-write", f"volume {volume.get('name')} (not readOnly)"


def _of_container(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for variable in container.get("env") or []:
        if {"fieldRef", "resourceFieldRef"} & set(variable.get("valueFrom") or {}):
            yield "kubernetes.podspec-fieldref", f"variable {variable.get('name')}"
    if ((container.get("securityContext") or {}).get("capabilities") or {}).get("add"):
        yield "kubernetes.containerspec-addcapabilities", "securityContext.capabilities.add"
    for mount in container.get("volumeMounts") or []:
        if mount.get("mountPropagation"):
            yield "kubernetes.podspec-volumes-mount-propagation", f"mountPropagation of {mount.get('mountPath')}"

"""Release manifests, transformed before they are applied: filter, merge, redirect. Pure: every function returns a new
object.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pulumi
import yaml

Manifest = dict[str, Any]
Transform = Callable[[Manifest], Manifest]

FIELD_MANAGER = "knative-releases"
SMALL_REQUESTS = {"cpu": "10m", "memory": "32Mi"}
"""Requests of a container in the small profile: the releases' own ask for more than a two-core node has left."""
START_SECONDS = 180
"""How long a container may take to start, with `quick_start`."""
GATEWAY = "3scale-kourier-gateway"
BOOTSTRAP = "envoy-bootstrap.yaml"
"""The gateway's own configuration, in a ConfigMap of the release."""


def key(manifest: Manifest) -> tuple[str, str, str]:
    """Kind, namespace (empty where there is none) and name: what tells objects of a release apart."""
    metadata = manifest["metadata"]
    return manifest["kind"], metadata.get("namespace", ""), metadata["name"]


def transformed(manifests: Iterable[Manifest], *transforms: Transform) -> list[Manifest]:
    """Every manifest, copied, with the transforms applied in their order."""
    result = []
    for manifest in manifests:
        changed = copy.deepcopy(manifest)
        for transform in transforms:
            changed = transform(changed)
        result.append(changed)
    return result


def annotate(annotations: Mapping[str, str]) -> Transform:
    """Add annotations to the object."""

    def apply(manifest: Manifest) -> Manifest:
        manifest["metadata"]["annotations"] = {**manifest["metadata"].get("annotations", {}), **annotations}
        return manifest

    return apply


def merge_config_map(namespace: str, name: str, data: pulumi.Input[Mapping[str, str]]) -> Transform:
    """Set keys of one ConfigMap: what `kubectl patch` would do later, done before there are two owners.

    Where `data` is an output, so is the ConfigMap's data then: no later transform can look inside.
    """

    def apply(manifest: Manifest) -> Manifest:
        if key(manifest) == ("ConfigMap", namespace, name):
            there = manifest.get("data", {})
            if isinstance(data, Mapping):
                manifest["data"] = {**there, **data}
            else:
                manifest["data"] = pulumi.Output.all(data).apply(lambda given: {**there, **given[0]})
        return manifest

    return apply


def redirect_images(redirected: Callable[[str], str]) -> Transform:
    """Map every image of pod templates, image caches and the queue-proxy's ConfigMap entry."""

    def apply(manifest: Manifest) -> Manifest:
        for container in containers(manifest):
            container["image"] = redirected(container["image"])
        if manifest["kind"] == "Image":
            manifest["spec"]["image"] = redirected(manifest["spec"]["image"])
        data = manifest.get("data", {})
        if "queue-sidecar-image" in data:
            data["queue-sidecar-image"] = redirected(data["queue-sidecar-image"])
        return manifest

    return apply


def containers(manifest: Manifest) -> list[dict[str, Any]]:
    """The containers of a workload's pod template; none for other objects."""
    template = manifest.get("spec", {}).get("template", {}) if isinstance(manifest.get("spec"), dict) else {}
    pod = template.get("spec", {}) if manifest["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job") else {}
    return [*pod.get("initContainers", []), *pod.get("containers", [])]


def small_requests(manifest: Manifest) -> Manifest:
    """Lower the requests of every container to SMALL_REQUESTS."""
    for container in containers(manifest):
        container["resources"] = {**container.get("resources", {}), "requests": dict(SMALL_REQUESTS)}
    return manifest


def with_replicas(manifests: Iterable[Manifest], namespace: str, name: str, replicas: int) -> list[Manifest]:
    """The manifests, copied, with at least so many pods of one Deployment; 1 leaves the release's own number.

    Where the release scales it by itself that is the lower bound: the Deployment's own number is the autoscaler's then.
    """
    result = transformed(manifests)
    if replicas == 1:
        return result
    found = {key(manifest): manifest for manifest in result}
    scaler = found.get(("HorizontalPodAutoscaler", namespace, name))
    if scaler:
        bounds = scaler["spec"]
        bounds["minReplicas"] = max(replicas, bounds.get("minReplicas", 1))
        bounds["maxReplicas"] = max(replicas, bounds["maxReplicas"])
    elif deployment := found.get(("Deployment", namespace, name)):
        deployment["spec"]["replicas"] = replicas
    else:
        raise pulumi.RunError(f"the release has no Deployment {namespace}/{name}, so it cannot have {replicas} pods")
    return result


def quick_start(manifest: Manifest) -> Manifest:
    """Ask every container each second until it has started; from then on its own readiness probe asks, as released.

    The releases ask every 5 or 10 s, and the gateway for the first time after 10: time that a quick node just waits.
    """
    for container in containers(manifest):
        if "readinessProbe" in container and "startupProbe" not in container:
            probe = container["readinessProbe"]
            probe.pop("initialDelaySeconds", None)
            container["startupProbe"] = {**copy.deepcopy(probe), "periodSeconds": 1, "failureThreshold": START_SECONDS}
    return manifest


def without_documentation(manifest: Manifest) -> Manifest:
    """Leave out text that is only read: descriptions in definitions' schemas (`kubectl explain`), `_example` in
    ConfigMaps.

    They are two thirds of a release's bytes, and the engine writes its whole state twice for every resource that it
    makes.
    """
    if manifest["kind"] == "CustomResourceDefinition":
        for version in manifest["spec"]["versions"]:
            version["schema"] = _undescribed(version.get("schema", {}))
    if manifest["kind"] == "ConfigMap" and manifest.get("data", {}).pop("_example", None) is not None:
        manifest["metadata"].get("annotations", {}).pop("knative.dev/example-checksum", None)
    return manifest


def _undescribed(schema: Any) -> Any:
    """A JSON schema without its descriptions; a property that is named description stays."""
    if isinstance(schema, list):
        return [_undescribed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {n: _undescribed(p) for n, p in value.items()} if name == "properties" else _undescribed(value)
        for name, value in schema.items()
        if not (name == "description" and isinstance(value, str))
    }


def fresh_statistics(manifest: Manifest) -> Manifest:
    """Have the gateway merge its latencies every second, not every five: the analysis of a rollout's short step would
    miss the last of them.
    """
    if manifest["kind"] == "ConfigMap" and BOOTSTRAP in manifest.get("data", {}):
        bootstrap = {**yaml.safe_load(manifest["data"][BOOTSTRAP]), "stats_flush_interval": "1s"}
        manifest["data"][BOOTSTRAP] = yaml.safe_dump(bootstrap, sort_keys=False)
    return manifest


SMALL: tuple[Transform, ...] = (small_requests, quick_start, without_documentation, fresh_statistics)
"""The small profile, for clusters of two cores."""


def without_webhook_rules(manifest: Manifest) -> Manifest:
    """Leave the rules of webhook configurations to Knative, which writes them at run time: applied too, every refresh
    would find them changed by another field manager."""
    for webhook in manifest.get("webhooks", []):
        webhook.pop("rules", None)
    return manifest


def own(manifest: Manifest) -> Manifest:
    """Annotations for Pulumi: one field manager for all, so that an interrupted `up` does not conflict with itself, and
    no wait for a Service, whose endpoints are waited for where they matter (its Deployment)."""
    annotations = {"pulumi.com/patchFieldManager": FIELD_MANAGER}
    if manifest["apiVersion"] == "v1" and manifest["kind"] == "Service":
        annotations["pulumi.com/skipAwait"] = "true"
    return annotate(annotations)(manifest)

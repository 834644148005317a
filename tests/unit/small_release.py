"""Small release manifests in the upstream layout: one object of every kind that the program treats in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

SERVING = ("serving", "1.10.2")
KOURIER = ("net-kourier", "1.10.0")
CHARTS = {"kafka": "22.1.5", "postgresql": "12.5.7", "redis": "17.11.3"}
PLANE_IMAGE = "registry.example/serving/controller@sha256:" + "a" * 64
QUEUE_IMAGE = "registry.example/serving/queue@sha256:" + "b" * 64
GATEWAY_IMAGE = "docker.io/example/gateway:v1"


def release_file(base: Path, repository: str, version: str, file: str) -> Path:
    """Where a file of a release is expected below a base."""
    return base / repository / "releases" / "download" / f"knative-v{version}" / file


def write(base: Path) -> Path:
    """Write the manifests below a base, and return the base."""
    files = {
        (*SERVING, "serving-crds.yaml"): definitions(),
        (*SERVING, "serving-core.yaml"): core(),
        (*KOURIER, "kourier.yaml"): kourier(),
    }
    for (repository, version, name), objects in files.items():
        file = release_file(base, repository, version, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("---\n" + yaml.safe_dump_all(objects))
    return base


def charts(base: Path) -> Path:
    """Write the smallest charts, unless they are there, into a folder below a base; that folder."""
    for name, version in CHARTS.items():
        file = base / "charts" / name / "Chart.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"apiVersion: v2\nname: {name}\nversion: {version}\n")
    return base / "charts"


def manifest(kind: str, name: str, namespace: str = "", api: str = "v1", **rest: Any) -> Manifest:
    """An object with nothing but what is given."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def deployment(name: str, namespace: str, image: str, **container: Any) -> Manifest:
    """A Deployment of one container, whose resources are its release's own."""
    resources = {"requests": {"cpu": "100m", "memory": "100Mi"}, "limits": {"cpu": "1"}}
    pod = {"containers": [{"name": "main", "image": image, "resources": resources, **container}]}
    return manifest("Deployment", name, namespace, "apps/v1", spec={"replicas": 1, "template": {"spec": pod}})


def definitions() -> list[Manifest]:
    """Two CustomResourceDefinitions; one has a property named image, which is no image."""
    schema = {"openAPIV3Schema": {"properties": {"image": {"type": "string"}}}}
    names = ("configurations.serving.knative.dev", "services.serving.knative.dev")
    return [
        manifest(
            "CustomResourceDefinition",
            name,
            api="apiextensions.k8s.io/v1",
            spec={"versions": [{"name": "v1", "schema": schema}]},
        )
        for name in names
    ]


def core() -> list[Manifest]:
    """Serving's core: as upstream, workloads stand before what they need, and the definitions are in it again."""
    space = "knative-serving"
    return [
        manifest("Namespace", space),
        *definitions(),
        *webhooks(space),
        manifest("Image", "queue-proxy", space, "caching.internal.knative.dev/v1alpha1", spec={"image": QUEUE_IMAGE}),
        deployment("controller", space, PLANE_IMAGE),
        deployment("webhook", space, PLANE_IMAGE),
        deployment("activator", space, PLANE_IMAGE),
        manifest("ServiceAccount", "controller", space),
        manifest("ClusterRole", "knative-serving-admin", api="rbac.authorization.k8s.io/v1", rules=[]),
        manifest("ConfigMap", "config-network", space, data={"_example": "text"}),
        manifest("ConfigMap", "config-domain", space, data={"_example": "text"}),
        manifest("ConfigMap", "config-features", space),
        manifest("ConfigMap", "config-gc", space, data={"_example": "text"}),
        manifest("ConfigMap", "config-observability", space, data={"_example": "text"}),
        manifest("ConfigMap", "config-deployment", space, data={"queue-sidecar-image": QUEUE_IMAGE}),
        manifest("Secret", "webhook-certs", space),
        manifest("Service", "controller", space, spec={"ports": [{"port": 9090}]}),
        manifest("HorizontalPodAutoscaler", "webhook", space, "autoscaling/v2", spec={"maxReplicas": 5}),
    ]


def webhooks(namespace: str) -> Sequence[Manifest]:
    """A webhook configuration of each kind, with the rules that Knative writes over."""
    rules = [{"operations": ["CREATE"], "resources": ["configmaps"]}]
    hook = {
        "name": "config.webhook",
        "clientConfig": {"service": {"name": "webhook", "namespace": namespace}},
        "rules": rules,
    }
    kinds = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    return [manifest(kind, "config.webhook", api="admissionregistration.k8s.io/v1", webhooks=[hook]) for kind in kinds]


def kourier() -> list[Manifest]:
    """Kourier: its controller lives in Knative's namespace, its gateway in its own."""
    space = "kourier-system"
    return [
        manifest("Namespace", space),
        manifest("ConfigMap", "kourier-bootstrap", space, data={"envoy-bootstrap.yaml": "admin: {}"}),
        manifest("ConfigMap", "config-kourier", "knative-serving"),
        manifest("ServiceAccount", "net-kourier", "knative-serving"),
        deployment("net-kourier-controller", "knative-serving", PLANE_IMAGE),
        deployment(
            "3scale-kourier-gateway",
            space,
            GATEWAY_IMAGE,
            readinessProbe={"initialDelaySeconds": 10, "periodSeconds": 5},
        ),
        manifest("Service", "kourier", space, spec={"type": "LoadBalancer", "ports": [{"port": 80}]}),
    ]

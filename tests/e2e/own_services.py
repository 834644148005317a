"""Services of a team's own, in ten shapes of a Knative Service: manifests, what they need in the cluster, and how each
shows that its shape is there. All run one small image, which is not of the conference application; the
paths that they ask are the stand-in's.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.traffic import Client

IMAGE = "us-docker.pkg.dev/google-samples/containers/gke/hello-app"
FIRST, SECOND = "1.0", "2.0"
NEEDS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: own-settings, namespace: default}
data: {PLACE: settings, motto.txt: from a ConfigMap}
---
apiVersion: v1
kind: Secret
metadata: {name: own-secret, namespace: default}
stringData: {PASSWORD: from-a-secret, key.txt: from a Secret}
"""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A template's spec and annotations, beside the image of its serving container, and what proves them."""

    container: Mapping[str, Any]
    shown: Callable[[Client, str], str]
    """Asks a service by its host name; what it answers says which version it is."""
    spec: Mapping[str, Any] | None = None
    annotations: Mapping[str, str] | None = None
    metadata: Mapping[str, Any] | None = None
    """More of the Service's own metadata."""
    others: tuple[Mapping[str, Any], ...] = ()
    """Further containers."""
    host: str | None = None
    """`<name>.<namespace>` where it is not in the namespace default."""

    def manifest(self, name: str) -> dict[str, Any]:
        """The Knative Service."""
        containers = [{"image": f"{IMAGE}:{FIRST}", **self.container}, *self.others]
        template = {
            "metadata": {"annotations": dict(self.annotations or {})},
            "spec": {**(self.spec or {}), "containers": containers},
        }
        return {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": {"name": name, **(self.metadata or {})},
            "spec": {"template": template},
        }


def page(client: Client, host: str, path: str = "/") -> str:
    """A page of a service."""
    answer = client.request(host, path)
    assert answer.status == 200, f"{host}{path} answered {answer.status}: {answer.body[:200]!r}"
    return answer.body.decode()


def _with(*pages: tuple[str, str]) -> Callable[[Client, str], str]:
    """Asks for pages that have to say something, and then for the first page."""

    def shown(client: Client, host: str) -> str:
        for path, wanted in pages:
            found = page(client, host, path)
            assert wanted in found, f"{host}{path}: {found!r}, and not {wanted!r}"
        return page(client, host)

    return shown


def _over_http2(client: Client, host: str) -> str:
    """By HTTP/2 without TLS, end to end, and by a gRPC call of the health protocol."""
    options = ["--silent", "--show-error", "--fail", "--max-time", "60", "--http2-prior-knowledge"]
    url, header = f"http://{client.address}:{client.port}", f"Host: {client.host(host)}"
    grpc = ["--header", "Content-Type: application/grpc", "--header", "TE: trailers", "--data-binary", "@-"]
    call = ["curl", *options, "--header", header, *grpc, f"{url}/grpc.health.v1.Health/Check"]
    # An empty request, and an answer of 2 bytes: field 1 is 1, SERVING.
    answer = subprocess.run(call, input=bytes(5), capture_output=True, check=True).stdout
    assert answer == bytes([0, 0, 0, 0, 2, 8, 1]), f"the gRPC call was answered with {answer!r}"
    get = ["curl", *options, "--header", header, f"{url}/protocol"]
    assert subprocess.run(get, capture_output=True, check=True).stdout == b"HTTP/2.0", "it is not HTTP/2 to the end"
    return page(client, host)


def _late(client: Client, host: str) -> str:
    """A request that takes longer than the service's limit ends in 504; one of half of it does not."""
    assert client.request(host, "/wait/9s").status == 504, "the timeout is not the manifest's"
    page(client, host, "/wait/2s")
    return page(client, host)


def _hidden(client: Client, host: str) -> str:
    """Nobody outside reaches it; the answer is that of a version that nobody asked."""
    assert client.request(host, "/").status == 404, "a cluster-local service is reached from outside"
    return ""


PORT = {"ports": [{"containerPort": 8080}]}
SHAPES: Mapping[str, Shape] = {
    "own-grpc": Shape(container={"ports": [{"name": "h2c", "containerPort": 8080}]}, shown=_over_http2),
    "own-sidecar": Shape(
        container={"name": "app", **PORT},
        others=({"name": "sidecar", "image": f"{IMAGE}:{FIRST}", "env": [{"name": "PORT", "value": "9191"}]},),
        shown=page,
    ),
    "own-volumes": Shape(
        container={
            "volumeMounts": [
                {"name": "settings", "mountPath": "/etc/own", "readOnly": True},
                {"name": "secret", "mountPath": "/var/own", "readOnly": True},
                {"name": "scratch", "mountPath": "/tmp/own"},
            ]
        },
        spec={
            "volumes": [
                {"name": "settings", "configMap": {"name": "own-settings"}},
                {"name": "secret", "secret": {"secretName": "own-secret"}},
                {"name": "scratch", "emptyDir": {}},
            ]
        },
        shown=_with(("/file/etc/own/motto.txt", "from a ConfigMap"), ("/file/var/own/key.txt", "from a Secret")),
    ),
    "own-probes": Shape(
        container={
            **PORT,
            "readinessProbe": {"httpGet": {"path": "/healthz"}, "periodSeconds": 2, "initialDelaySeconds": 1},
            "livenessProbe": {"httpGet": {"path": "/healthz"}, "periodSeconds": 5},
        },
        shown=_with(("/healthz", "ok")),
    ),
    "own-env": Shape(
        container={
            "env": [
                {"name": "FIRST", "value": "one"},
                {"name": "BOTH", "value": "$(FIRST) and $(PASSWORD)"},
                {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "own-secret", "key": "PASSWORD"}}},
                {"name": "LATER", "value": "$(FIRST) and $(PASSWORD)"},
            ],
            "envFrom": [{"configMapRef": {"name": "own-settings"}}],
        },
        shown=_with(
            ("/variable/PLACE", "settings"),
            ("/variable/BOTH", "one and $(PASSWORD)"),  # defined after it: Kubernetes leaves it as it is
            ("/variable/LATER", "one and from-a-secret"),
        ),
    ),
    "own-local": Shape(
        container=PORT,
        metadata={"labels": {"networking.knative.dev/visibility": "cluster-local"}},
        shown=_hidden,
    ),
    "own-space": Shape(container=PORT, metadata={"namespace": "shop"}, shown=page, host="own-space.shop"),
    "own-timeouts": Shape(
        container=PORT,
        spec={"timeoutSeconds": 5},
        annotations={"autoscaling.knative.dev/min-scale": "1"},  # the start from zero counts, too
        shown=_late,
    ),
    "own-scaling": Shape(
        container={"resources": {"requests": {"cpu": "10m"}, "limits": {"cpu": "500m", "memory": "64Mi"}}},
        spec={"containerConcurrency": 20},
        annotations={
            "autoscaling.knative.dev/metric": "rps",
            "autoscaling.knative.dev/target": "50",
            "autoscaling.knative.dev/min-scale": "1",
            "autoscaling.knative.dev/max-scale": "3",
        },
        shown=page,
    ),
    "own-digest": Shape(container=PORT, shown=page),
}
"""By name. The last one's image is asked for by digest: see the tests."""


def write(folder: Path) -> dict[str, dict[str, Any]]:
    """Write the manifests; the settings that name them."""
    for name, shape in SHAPES.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(shape.manifest(name), sort_keys=False))
    return {name: {"manifest": str(folder / f"{name}.yaml")} for name in SHAPES}

"""A small release as the cluster has it, for the tests of `status`: notifications at 50/50."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from status.cluster import Objects
from status.wanted import Wanted, of_outputs

STABLE, CANARY, OLD = "notifications-v1-0-0-aaaaaaaa", "notifications-canary-v1-1-0-bbbbbbbb", "notifications-v0-9-cccc"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
OUTPUTS = {
    "cluster": "dev",
    "kubeconfig": "the kubeconfig",
    "services": {
        "notifications": {
            "url": "http://notifications.default.127.0.0.1.sslip.io:8080",
            "tracks": {
                "stable": {"percent": 50, "version": "v1.0.0", "revision": STABLE},
                "canary": {
                    "percent": 50,
                    "version": "v1.1.0",
                    "revision": CANARY,
                    "tag": "next",
                    "url": "http://next-notifications.default.127.0.0.1.sslip.io:8080",
                    "header": "Knative-Serving-Tag: next",
                },
            },
        }
    },
}
READY = {"type": "Ready", "status": "True"}


def wanted() -> Wanted:
    """The release as the stack's outputs say it."""
    return of_outputs("dev", OUTPUTS)


def condition(message: str, **more: str) -> dict[str, str]:
    """A Ready condition that is not true."""
    return {"type": "Ready", "status": "False", "message": message, **more}


def named(name: str, *conditions: dict[str, str], **annotations: str) -> dict[str, Any]:
    """A Knative object, an hour and five minutes old."""
    metadata = {"name": name, "creationTimestamp": "2026-11-23T08:55:00Z", "annotations": annotations}
    return {"metadata": metadata, "status": {"conditions": list(conditions or (READY,))}}


def pod(name: str, revision: str, service: str = "notifications", **more: Any) -> dict[str, Any]:
    """A ready pod, as the client library's to_dict has it; `more` replaces parts of its status."""
    labels = {"serving.knative.dev/service": service, "serving.knative.dev/revision": revision}
    containers = [{"name": "user-container", "restart_count": 0, "state": {"running": {}}}]
    status = {"conditions": [READY], "container_statuses": containers, **more}
    return {"metadata": {"name": name, "labels": labels, "deletion_timestamp": None}, "status": status}


def waiting(reason: str, message: str) -> dict[str, Any]:
    """Parts of a status: the container waits."""
    state = {"waiting": {"reason": reason, "message": message}}
    containers = [{"name": "user-container", "restart_count": 3, "state": state}]
    return {"conditions": [{"type": "Ready", "status": "False"}], "container_statuses": containers}


def objects(
    traffic: dict[str, int] | None = None, pods: Sequence[dict[str, Any]] | None = None, **more: Any
) -> Objects:
    """The cluster's objects: both tracks with a pod, and the given shares by revision."""
    shares = {STABLE: 50, CANARY: 50} if traffic is None else traffic
    service = named("notifications")
    service["status"]["traffic"] = [{"revisionName": name, "percent": share} for name, share in shares.items()]
    found: dict[str, Any] = {
        "services": {"notifications": service},
        "configurations": {name: named(name) for name in ("notifications", "notifications-canary")},
        "revisions": {name: named(name) for name in (STABLE, CANARY, OLD)},
        "pods": [pod(f"{name}-deployment-x", name) for name in (STABLE, CANARY)] if pods is None else pods,
        **more,
    }
    return Objects(**found)

"""Helm's records of its releases, which are Secrets in the cluster."""

from __future__ import annotations

import kubernetes

from components.cluster.client import SECONDS, cluster_client


def found(kubeconfig: str, namespace: str, selector: str) -> list[str]:
    """Names of the records that a label selector finds."""
    core = kubernetes.client.CoreV1Api(cluster_client(kubeconfig))
    records = core.list_namespaced_secret(namespace, label_selector=selector, _request_timeout=SECONDS).items
    return [secret.metadata.name for secret in records]


def forget(kubeconfig: str, namespace: str, records: list[str]) -> None:
    """Delete records."""
    core = kubernetes.client.CoreV1Api(cluster_client(kubeconfig))
    for name in records:
        core.delete_namespaced_secret(name, namespace, _request_timeout=SECONDS)

"""Helm's records of its releases, which are Secrets in the cluster."""

from __future__ import annotations

import kubernetes

from components.cluster_client import SECONDS, cluster_client


def forget(kubeconfig: str, namespace: str, selector: str) -> list[str]:
    """Delete the records that a label selector finds; their names."""
    core = kubernetes.client.CoreV1Api(cluster_client(kubeconfig))
    found = core.list_namespaced_secret(namespace, label_selector=selector, _request_timeout=SECONDS).items
    names = [secret.metadata.name for secret in found]
    for name in names:
        core.delete_namespaced_secret(name, namespace, _request_timeout=SECONDS)
    return names

"""Asks a cluster why a Knative object that was applied does not get ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kubernetes
import urllib3

from components.cluster_client import GROUP, SECONDS, VERSION, cluster_client
from components.readiness import conditions, is_ready, of_pod, waited_for

PLURALS = {"Service": "services", "Configuration": "configurations"}
_NO_ANSWER = (
    *(kubernetes.config.ConfigException, kubernetes.client.ApiException),
    *(urllib3.exceptions.HTTPError, OSError),
)
LOG_LINES = 5
"""Lines of a container's log that are told."""


def why_not_ready(kubeconfig: str, manifest: Mapping[str, Any]) -> list[str]:
    """What the cluster says of an object that was applied as `manifest` says, one line each."""
    namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
    try:
        client = cluster_client(kubeconfig)
        objects, core = kubernetes.client.CustomObjectsApi(client), kubernetes.client.CoreV1Api(client)
        plural = PLURALS[manifest["kind"]]
        released, *revisions = [
            objects.get_namespaced_custom_object(GROUP, VERSION, namespace, kind, each, _request_timeout=SECONDS)
            for kind, each in ((plural, name), *(("revisions", revision) for revision in waited_for(manifest)))
        ]
        unready = [revision for revision in revisions if not is_ready(revision)]
        lines = conditions([released, *unready])
        for revision in unready:
            selector = f"serving.knative.dev/revision={revision['metadata']['name']}"
            pods = core.list_namespaced_pod(namespace, label_selector=selector, _request_timeout=SECONDS).items
            lines += [line for pod in pods for line in of_pod(pod.to_dict())]
            for pod in pods[:1]:
                lines += _log(core, namespace, pod.metadata.name)
    except _NO_ANSWER as error:
        lines = [f"and the cluster does not say why: {error}"]
    return [f"{manifest['kind']} {name} is not ready; its traffic stays where it was", *(f"  {line}" for line in lines)]


def _log(core: Any, namespace: str, pod: str) -> list[str]:
    """The last lines of the pod's user container; of the one before, where it has just begun anew."""
    for previous in (True, False):
        try:
            text = core.read_namespaced_pod_log(
                pod,
                namespace,
                container="user-container",
                tail_lines=LOG_LINES,
                previous=previous,
                _request_timeout=SECONDS,
            )
        except kubernetes.client.ApiException:
            continue  # it never ran, or never before
        return [f"log of {pod}: {line}" for line in text.splitlines()]
    return []

"""Asks a cluster why a Knative object that was applied does not get ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kubernetes
import urllib3

from components.cluster.client import GROUP, SECONDS, VERSION, cluster_client
from components.release.readiness import conditions, is_ready, of_pod, waited_for

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
    said, missing, of_pods, silence = list[Mapping[str, Any]](), list[str](), list[str](), list[str]()
    try:
        cluster = _Cluster(kubeconfig, namespace)
        # The object itself first: where a revision was never made, only its conditions say why.
        said += cluster.knative(PLURALS[manifest["kind"]], name)
        for revision in waited_for(manifest):
            found = cluster.knative("revisions", revision)
            if not found:
                missing.append(f"{revision} is not in the cluster")
            elif not is_ready(found[0]):
                said += found
                said += cluster.deployments(revision)
                of_pods += cluster.of_pods(revision)
    except _NO_ANSWER as error:
        silence.append(f"and the cluster does not say {'more' if said else 'why'}: {error}")
    lines = [*conditions(said), *missing, *of_pods, *silence]
    return [f"{manifest['kind']} {name} is not ready; its traffic stays where it was", *(f"  {line}" for line in lines)]


class _Cluster:
    """What a namespace of the cluster has."""

    def __init__(self, kubeconfig: str, namespace: str) -> None:
        client = cluster_client(kubeconfig)
        self._namespace = namespace
        self._objects = kubernetes.client.CustomObjectsApi(client)
        self._core, self._apps = kubernetes.client.CoreV1Api(client), kubernetes.client.AppsV1Api(client)

    def knative(self, plural: str, name: str) -> list[Mapping[str, Any]]:
        """An object of Knative's; empty where there is none."""
        try:
            found: Mapping[str, Any] = self._objects.get_namespaced_custom_object(
                GROUP, VERSION, self._namespace, plural, name, _request_timeout=SECONDS
            )
        except kubernetes.client.ApiException as error:
            if error.status != 404:
                raise
            return []
        return [found]

    def deployments(self, revision: str) -> list[Mapping[str, Any]]:
        """What makes a revision's pods, and says why it cannot: a quota, the namespace's pod security."""
        return [each.to_dict() for each in self._apps.list_namespaced_deployment(**self._of(revision)).items]

    def of_pods(self, revision: str) -> list[str]:
        """What a revision's pods say, and the log of one of them."""
        pods = self._core.list_namespaced_pod(**self._of(revision)).items
        lines = [line for pod in pods for line in of_pod(pod.to_dict())]
        return lines + [line for pod in pods[:1] for line in self._log(pod.metadata.name)]

    def _of(self, revision: str) -> dict[str, Any]:
        selector = f"serving.knative.dev/revision={revision}"
        return {"namespace": self._namespace, "label_selector": selector, "_request_timeout": SECONDS}

    def _log(self, pod: str) -> list[str]:
        """The last lines of the pod's user container; of the one before, where it has just begun anew."""
        for previous in (True, False):
            try:
                text = self._core.read_namespaced_pod_log(
                    pod,
                    self._namespace,
                    container="user-container",
                    tail_lines=LOG_LINES,
                    previous=previous,
                    _request_timeout=SECONDS,
                )
            except kubernetes.client.ApiException:
                continue  # it never ran, or never before
            return [f"log of {pod}: {line}" for line in text.splitlines()]
        return []

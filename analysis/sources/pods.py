"""The cluster's pods, asked through the Kubernetes API with the stack's kubeconfig, whose certificates stay in
memory.
"""

from __future__ import annotations

from collections.abc import Mapping

import kubernetes
import yaml

from analysis import AnalysisError
from components.cluster.client import cluster_client
from status import StatusError
from status.cluster import answering

SECONDS = 3.0
"""Limit for each answer."""
REVISION_LABEL = "serving.knative.dev/revision"


class ClusterPods:
    """`analysis.sources.gateway.Pods` of a cluster."""

    def __init__(self, kubeconfig: str, cluster: str) -> None:
        """
        cluster: its name, for messages. Raises AnalysisError where the kubeconfig is of no use.
        """
        self._cluster = cluster
        try:
            self._client = cluster_client(kubeconfig)
        except (kubernetes.config.ConfigException, yaml.YAMLError, ValueError, TypeError, OSError) as error:
            raise AnalysisError(
                f"The kubeconfig of the cluster {cluster} cannot be used ({error}). Which one that is: make status"
            ) from None

    def names(self, namespace: str, label: str) -> Mapping[str, str]:
        """See `Pods.names`. Raises AnalysisError where the cluster does not answer."""
        core = kubernetes.client.CoreV1Api(self._client)
        try:
            with answering(self._client, self._cluster):
                found = core.list_namespaced_pod(
                    namespace, label_selector=label, field_selector="status.phase=Running", _request_timeout=SECONDS
                )
        except (StatusError, kubernetes.config.ConfigException) as error:
            raise AnalysisError(str(error)) from None
        return {pod.metadata.name: (pod.metadata.labels or {}).get(REVISION_LABEL, "") for pod in found.items}

    def get(self, namespace: str, pod: str, port: int, path: str) -> tuple[int, str]:
        """See `Pods.get`. Raises AnalysisError where the cluster does not answer."""
        path, _, query = path.partition("?")
        try:
            with answering(self._client, self._cluster):
                return self._asked(f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/{path}", query)
        except (StatusError, kubernetes.config.ConfigException) as error:
            raise AnalysisError(str(error)) from None

    def _asked(self, path: str, query: str) -> tuple[int, str]:
        try:
            response = self._client.call_api(
                f"{path}?{query}" if query else path,
                "GET",
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=SECONDS,
            )
        except kubernetes.client.ApiException as error:
            if error.status in (401, 403):
                raise
            return int(error.status), str(error.body)
        return int(response.status), response.data.decode(errors="replace")

"""The cluster's pods, asked through the Kubernetes API with the stack's kubeconfig, whose certificates stay in
memory.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import kubernetes
import yaml

from components.cluster.client import cluster_client
from status import StatusError
from status.cluster import answering

SECONDS = 3.0
"""Limit for each answer."""
REVISION_LABEL = "serving.knative.dev/revision"


class ClusterPods:
    """`status.counters.reading.Pods` of a cluster."""

    def __init__(self, kubeconfig: str, cluster: str) -> None:
        """
        cluster: its name, for messages. Raises StatusError where the kubeconfig is of no use.
        """
        self._cluster = cluster
        try:
            self._client = cluster_client(kubeconfig)
        except (kubernetes.config.ConfigException, yaml.YAMLError, ValueError, TypeError, OSError) as error:
            raise StatusError(
                f"The kubeconfig of the cluster {cluster} cannot be used ({error}). Which one that is: make status"
            ) from None

    def names(self, namespace: str, label: str) -> Mapping[str, str]:
        """See `Pods.names`. Raises StatusError where the cluster does not answer."""
        core = kubernetes.client.CoreV1Api(self._client)
        with self._answering(f"list pods -n {namespace}"):
            found = core.list_namespaced_pod(
                namespace, label_selector=label, field_selector="status.phase=Running", _request_timeout=SECONDS
            )
        return {pod.metadata.name: (pod.metadata.labels or {}).get(REVISION_LABEL, "") for pod in found.items}

    def get(self, namespace: str, pod: str, port: int, path: str) -> tuple[int, str]:
        """See `Pods.get`. Raises StatusError where the cluster does not answer."""
        path, _, query = path.partition("?")
        with self._answering(f"get pods --subresource=proxy -n {namespace}"):
            return self._asked(f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/{path}", query)

    @contextlib.contextmanager
    def _answering(self, right: str) -> Iterator[None]:
        try:
            with answering(self._client, self._cluster, right):
                yield
        except kubernetes.config.ConfigException as error:  # of a plugin that gives the token
            raise StatusError(str(error)) from None

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

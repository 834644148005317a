"""A store that runs, as its cluster has it: its volumes, its password, and the pods that use that."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import kubernetes
import urllib3
import websocket
from kubernetes.utils.quantity import parse_quantity

from components.cluster.client import SECONDS, cluster_client
from components.stores.pod_command import run_in_pod
from components.stores.volume import RELEASE_LABEL

REVISION_LABEL = "serving.knative.dev/revision"
"""Label of the pods of Knative's services."""


class StoreError(Exception):
    """The store's pod does not run, or a command in it failed; the message says why."""


FAILURES = (
    StoreError,
    kubernetes.client.ApiException,
    urllib3.exceptions.HTTPError,
    websocket.WebSocketException,
    OSError,
)
"""What a question to a store may end with."""


@dataclass(frozen=True, kw_only=True)
class LivingVolume:
    """The volume of a StatefulSet that runs."""

    stateful_set: str
    claims: tuple[str, ...]
    """Names of its claims, one a pod."""
    size: str
    """What its template asks for, a Kubernetes quantity."""
    size_in_bytes: Decimal
    template_class: str | None
    """Storage class that its template names; None: the cluster's default."""
    storage_class: str
    """Storage class of its claims."""
    expandable: bool
    """Whether that class grows volumes."""


def in_bytes(quantity: str) -> Decimal:
    """A Kubernetes quantity as a number: 1Gi and 1024Mi are the same."""
    return Decimal(parse_quantity(quantity))


class LivingStore:
    """The store of one Helm release."""

    def __init__(self, kubeconfig: str, namespace: str, release: str) -> None:
        client = cluster_client(kubeconfig)
        self._kubeconfig, self._namespace, self._release = kubeconfig, namespace, release
        self._core, self._apps = kubernetes.client.CoreV1Api(client), kubernetes.client.AppsV1Api(client)
        self._storage = kubernetes.client.StorageV1Api(client)

    def volumes(self) -> Iterator[LivingVolume]:
        """The volumes of the release's StatefulSets."""
        selector = f"{RELEASE_LABEL}={self._release}"
        listed = self._apps.list_namespaced_stateful_set(
            self._namespace, label_selector=selector, _request_timeout=SECONDS
        )
        for each in listed.items:
            for template in each.spec.volume_claim_templates or []:
                prefix = f"{template.metadata.name}-{each.metadata.name}"
                claims = tuple(f"{prefix}-{ordinal}" for ordinal in range(each.spec.replicas))
                storage_class = self._class_of(claims[0]) if claims else ""
                yield LivingVolume(
                    stateful_set=each.metadata.name,
                    claims=claims,
                    size=template.spec.resources.requests["storage"],
                    size_in_bytes=in_bytes(template.spec.resources.requests["storage"]),
                    template_class=template.spec.storage_class_name,
                    storage_class=storage_class,
                    expandable=self._expandable(storage_class),
                )

    def grow(self, volume: LivingVolume, size: str) -> None:
        """Ask for more in a volume's claims, and take its StatefulSet away while its pods run on: Helm makes it anew
        with the new size, since Kubernetes changes none of its templates for claims.
        """
        request = {"spec": {"resources": {"requests": {"storage": size}}}}
        for claim in volume.claims:
            self._core.patch_namespaced_persistent_volume_claim(
                claim, self._namespace, request, _request_timeout=SECONDS
            )
        self._apps.delete_namespaced_stateful_set(
            volume.stateful_set, self._namespace, propagation_policy="Orphan", _request_timeout=SECONDS
        )

    def password(self, secret: str, key: str) -> str | None:
        """The password in the release's Secret; None where there is no such Secret."""
        try:
            data = self._core.read_namespaced_secret(secret, self._namespace, _request_timeout=SECONDS).data or {}
        except kubernetes.client.ApiException as error:
            if error.status == 404:
                return None
            raise
        return base64.b64decode(data[key]).decode() if key in data else None

    def keep_password(self, secret: str, key: str, password: str) -> None:
        """Write a password into the release's Secret, from where pods that start take it."""
        body = {"stringData": {key: password}}
        self._core.patch_namespaced_secret(secret, self._namespace, body, _request_timeout=SECONDS)

    def run(self, script: str, lines: Sequence[str]) -> None:
        """Run a script of bash in the store's container, with lines on its standard input. Raises StoreError where no
        pod runs, or the script fails.
        """
        pods = self._core.list_namespaced_pod(
            self._namespace, label_selector=f"{RELEASE_LABEL}={self._release}", _request_timeout=SECONDS
        ).items
        running = [pod.metadata.name for pod in pods if pod.status.phase == "Running" and _of_stateful_set(pod)]
        if not running:
            raise StoreError(f"no pod of {self._release} runs")
        for pod in running:
            failure = run_in_pod(self._kubeconfig, self._namespace, pod, self._release, script, lines)
            if failure is not None:
                raise StoreError(f"{pod}: {failure}")

    def restart_users(self, secret: str) -> list[str]:
        """Delete the pods of Knative's services that took a variable from a Secret; new ones take it anew. Returns
        their names.
        """
        pods = self._core.list_namespaced_pod(
            self._namespace, label_selector=REVISION_LABEL, _request_timeout=SECONDS
        ).items
        users = [pod.metadata.name for pod in pods if secret in _secrets(pod)]
        for name in users:
            self._core.delete_namespaced_pod(name, self._namespace, _request_timeout=SECONDS)
        return users

    def _class_of(self, claim: str) -> str:
        found = self._core.read_namespaced_persistent_volume_claim(claim, self._namespace, _request_timeout=SECONDS)
        return found.spec.storage_class_name or ""

    def _expandable(self, storage_class: str) -> bool:
        if not storage_class:
            return False
        found = self._storage.read_storage_class(storage_class, _request_timeout=SECONDS)
        return bool(found.allow_volume_expansion)


def _of_stateful_set(pod: Any) -> bool:
    return any(owner.kind == "StatefulSet" for owner in pod.metadata.owner_references or [])


def _secrets(pod: Any) -> set[str]:
    """Secrets that a pod's variables come from."""
    variables = [variable for container in pod.spec.containers for variable in container.env or []]
    sources = [variable.value_from.secret_key_ref for variable in variables if variable.value_from]
    return {source.name for source in sources if source}

"""The cluster's objects that a release consists of, as the Kubernetes API gives them. Changes nothing."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import kubernetes
import urllib3

from components.cluster.client import SECONDS, cluster_client
from components.knative.api import Object, by_name
from components.release.plan import OWNER_LABEL
from components.release.readiness import PUT_BACK
from status import StatusError


@dataclass(frozen=True, kw_only=True)
class Objects:
    """What the cluster has in a service's namespace; all but the pods by name."""

    services: Mapping[str, Object] = field(default_factory=dict)
    configurations: Mapping[str, Object] = field(default_factory=dict)
    revisions: Mapping[str, Object] = field(default_factory=dict)
    pods: Sequence[Object] = ()
    """As the client library's `to_dict` gives them."""

    @functools.cached_property
    def pods_of(self) -> Mapping[str, Sequence[Object]]:
        """The pods of each service, by its name: made once, so that no service looks at the pods of all."""
        found: dict[str, list[Object]] = {}
        for pod in self.pods:
            found.setdefault(pod["metadata"]["labels"][OWNER_LABEL], []).append(pod)
        return found


def read(kubeconfig: str, namespace: str, cluster: str) -> Objects:
    """What the cluster has. Raises StatusError where it does not answer, or refuses.

    cluster: its name, for the message.
    """
    try:
        client = cluster_client(kubeconfig)
    except kubernetes.config.ConfigException as error:
        raise StatusError(f"The kubeconfig of the cluster {cluster} cannot be used: {error}") from None
    core = kubernetes.client.CoreV1Api(client)
    with answering(client, cluster):
        found = {plural: by_name(client, namespace, plural) for plural in ("services", "configurations", "revisions")}
        pods = core.list_namespaced_pod(namespace, label_selector=OWNER_LABEL, _request_timeout=SECONDS).items
    return Objects(**found, pods=[pod.to_dict() for pod in pods])


@contextlib.contextmanager
def answering(client: Any, cluster: str, right: str = "list ksvc") -> Iterator[None]:
    """Asking a cluster: what goes wrong is a StatusError that says what to do.

    client: of `cluster_client`.
    cluster: its name, for the message.
    right: what is asked for, as `kubectl auth can-i` takes it.
    """
    try:
        yield
    except kubernetes.client.ApiException as error:
        raise StatusError(
            f"The cluster {cluster} answers, but refuses ({error.status} {error.reason}). "
            + (
                f"The kubeconfig's user may not read this: kubectl auth can-i {right}"
                if error.status in (401, 403)
                else f"To put back what is missing: {PUT_BACK}"
            )
        ) from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise StatusError(
            f"The cluster {cluster} does not answer at {client.configuration.host} ({_short(error)}). If the program "
            f"made it: it is gone, or Docker does not run (`docker ps` shows {cluster}-control-plane where both are "
            "well): make up"
        ) from None


def _short(error: Exception) -> str:
    """The last words of an error: urllib3 begins with the connection object."""
    return str(error).rpartition(": ")[2]

"""Questions to a cluster that is there already. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import kubernetes
import pulumi
import urllib3

from components.cluster_client import SECONDS, cluster_client
from components.manifests import Manifest

VOLUME_CLAIM = "PersistentVolumeClaim"
_AT_ONCE = 8


class UnreachableError(pulumi.RunError):
    """The cluster does not answer, or refuses; the message says why."""


class OtherClusterError(pulumi.RunError):
    """The context means another cluster than the one that a stack was put into; the message says the ways out."""


class AskedCluster:
    """The cluster of one kubeconfig."""

    def __init__(self, kubeconfig: Mapping[str, Any]) -> None:
        """kubeconfig: of one context, as `components.kubeconfig.of_context` gives it."""
        self.kubeconfig = kubeconfig
        self.context = str(kubeconfig["current-context"])
        try:
            self._client = cluster_client(json.dumps(kubeconfig))
        except kubernetes.config.ConfigException as error:
            raise UnreachableError(f"the context {self.context} cannot be used: {error}") from None

    def get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> dict[str, Any] | None:
        """The object at a path of the API; None where there is none. Raises UnreachableError."""
        try:
            found: dict[str, Any] = self._client.call_api(
                path,
                "GET",
                query_params=list(query),
                auth_settings=["BearerToken"],
                response_type="object",
                _return_http_data_only=True,
                _request_timeout=SECONDS,
            )
        except kubernetes.client.ApiException as error:
            if error.status == 404:
                return None
            if not error.status:  # so the library tells of TLS
                raise self._silent(error.reason) from None
            raise UnreachableError(
                f"the cluster of the context {self.context} refuses GET {path} ({error.status} {error.reason}): "
                "the user of the context needs to be an administrator of the cluster"
            ) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._silent(str(error).rpartition(": ")[2]) from None
        return found

    def _silent(self, why: str) -> UnreachableError:
        host = self._client.configuration.host
        return UnreachableError(
            f"the cluster of the context {self.context} does not answer at {host}: {' '.join(why.split())}"
        )

    def identity(self) -> str:
        """What tells the cluster from all others, and stays when its certificates and addresses change."""
        space = self.get("/api/v1/namespaces/kube-system")
        if space is None:
            raise UnreachableError(f"the cluster of the context {self.context} has no namespace kube-system")
        return str(space["metadata"]["uid"])

    def refuse_other(self, made_for: str, stack: str) -> None:
        """Raise OtherClusterError where this is not the cluster of the identity that a stack was put into."""
        identity = self.identity()
        if identity == made_for:
            return
        raise OtherClusterError(
            f"the context {self.context} means another cluster than the one that this stack was put into: the UID of "
            f"its namespace kube-system is {identity}, and was {made_for}. Nothing was changed\n"
            "The old cluster is there: let the context mean it again, or name the one that does: pulumi config set "
            "--path 'knative-releases:cluster.context' <context> && pulumi up\n"
            "The old cluster is gone: let the state forget what was in it: pulumi stack rm --force --preserve-config "
            f"{stack}; to make it all in this one: make up\n"
            "Both clusters are wanted: give the other one a stack of its own: pulumi stack init <name>"
        )

    def there(self, manifests: Sequence[Manifest]) -> list[dict[str, Any]]:
        """Those objects that the cluster has, as it has them."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            found = list(threads.map(self.get, map(path_of, manifests)))
        return [each for each in found if each is not None]

    def volumes(self, namespace: str, releases: Sequence[str]) -> list[dict[str, Any]]:
        """The claims of the volumes of Helm releases, which stay when the releases go."""
        query = [("labelSelector", f"app.kubernetes.io/instance in ({','.join(releases)})")]
        found = self.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims", query) or {"items": []}
        return [{**each, "kind": VOLUME_CLAIM} for each in found["items"]]


def path_of(manifest: Manifest) -> str:
    """Where the API has an object of a built-in or of Knative's kinds, whose plurals are regular. Pure."""
    version, metadata = manifest["apiVersion"], manifest["metadata"]
    space = f"/namespaces/{metadata['namespace']}" if metadata.get("namespace") else ""
    return f"/{'apis' if '/' in version else 'api'}/{version}{space}/{manifest['kind'].lower()}s/{metadata['name']}"

"""Questions to a cluster that is there already. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import kubernetes
import pulumi
import urllib3

from components.cluster.api_paths import collection_of, is_collection, question
from components.cluster.client import SECONDS, cluster_client
from components.manifests import Manifest

KUBE_SYSTEM = "/api/v1/namespaces/kube-system"
"""Whose UID tells one cluster from another."""
VOLUME_CLAIM = "PersistentVolumeClaim"
_RELEASE = "app.kubernetes.io/instance"
_AT_ONCE = 8
_NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
"""Asks for the metadata of a list: no data of ConfigMaps, no schemas of definitions."""

Found = tuple[Manifest, Mapping[str, Any]]
"""What was asked for, and the metadata of what the cluster has there."""


class UnreachableError(pulumi.RunError):
    """The cluster does not answer, or refuses; the message says why."""


class RefusedError(UnreachableError):
    """The context's user may not read what the program has to look at; the message lists it all."""

    def __init__(self, context: str, refused: Iterable[str]) -> None:
        """refused: in the words of `components.cluster.api_paths.question`."""
        self.refused = list(dict.fromkeys(refused))
        super().__init__(
            f"the user of the context {context} may not read what the program looks at before it changes anything. "
            "Nothing was changed. The missing rights:\n"
            + "".join(f"  - {each}\n" for each in self.refused)
            + "docs/rights.md has roles for every command, ready for kubectl apply"
        )


class OtherClusterError(pulumi.RunError):
    """The context means another cluster than the one that a stack was put into; the message says the ways out."""


class AskedCluster:
    """The cluster of one kubeconfig."""

    def __init__(self, kubeconfig: Mapping[str, Any]) -> None:
        """kubeconfig: of one context, as `components.cluster.kubeconfig.of_context` gives it."""
        self.kubeconfig = kubeconfig
        self.context = str(kubeconfig["current-context"])
        self._known: dict[str, dict[str, Any] | None] = {}
        try:
            self._client = cluster_client(json.dumps(kubeconfig))
        except kubernetes.config.ConfigException as error:
            raise UnreachableError(f"the context {self.context} cannot be used: {error}") from None

    def get(self, path: str) -> dict[str, Any] | None:
        """The object at a path of the API, or the metadata of all objects at the path of a collection; None where there
        is none. Raises UnreachableError.
        """
        return self._known[path] if path in self._known else self.read(path)

    def look_ahead(self, paths: Iterable[str]) -> None:
        """Read several paths at once, for `get` to know. Raises UnreachableError: one RefusedError for all of them."""
        new, refused = list(dict.fromkeys(paths)), list[str]()

        def known(path: str) -> tuple[str, dict[str, Any] | None]:
            try:
                return path, self.read(path)
            except RefusedError as error:
                refused.extend(error.refused)
                return path, None

        with ThreadPoolExecutor(_AT_ONCE) as threads:
            found = list(threads.map(known, new))
        if refused:
            raise RefusedError(self.context, sorted(refused))
        self._known.update(found)

    def read(self, path: str) -> dict[str, Any] | None:
        """What the API has at a path now; None: nothing. Raises UnreachableError."""
        try:
            found: dict[str, Any] = self._client.call_api(
                path,
                "GET",
                header_params={"Accept": _NAMES_ONLY if is_collection(path) else "application/json"},
                auth_settings=["BearerToken"],
                response_type="object",
                _return_http_data_only=True,
                _request_timeout=SECONDS,
            )
        except kubernetes.client.ApiException as error:
            if error.status == 404:
                return None
            if error.status == 403:
                raise RefusedError(self.context, [question(path)]) from None
            if not error.status:  # so the library tells of TLS
                raise self._silent(error.reason) from None
            raise UnreachableError(
                f"the cluster of the context {self.context} refuses GET {path} ({error.status} {error.reason})"
                + (": it does not accept the credentials of the context" if error.status == 401 else "")
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
        space = self.get(KUBE_SYSTEM)
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

    def there(self, manifests: Sequence[Manifest]) -> list[Found]:
        """Those objects that the cluster has. Each kind in each namespace is one question."""
        wanted = {(collection_of(manifest), manifest["metadata"]["name"]): manifest for manifest in manifests}
        paths = dict.fromkeys(path for path, _ in wanted)
        there = {(path, each["name"]): each for path in paths for each in self._metadata(path)}
        return [(manifest, there[key]) for key, manifest in wanted.items() if key in there]

    def volumes(self, namespace: str, releases: Sequence[str]) -> list[Found]:
        """The claims of the volumes of Helm releases, which stay when the releases go."""
        claims = self._metadata(volumes_of(namespace)) if releases else []
        ours = [each for each in claims if each.get("labels", {}).get(_RELEASE) in releases]
        return [({"apiVersion": "v1", "kind": VOLUME_CLAIM, "metadata": {"name": each["name"]}}, each) for each in ours]

    def _metadata(self, collection: str) -> list[Mapping[str, Any]]:
        # A list of metadata that has none is null.
        return [each["metadata"] for each in (self.get(collection) or {}).get("items") or []]


def volumes_of(namespace: str) -> str:
    """Where the API lists the volume claims of a namespace. Pure."""
    return f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"

"""Knative's objects, as the API of a cluster gives them. Importing it loads the Kubernetes client, which is slow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kubernetes

from components.cluster.client import GROUP, SECONDS, VERSION

Object = Mapping[str, Any]


def by_name(client: Any, namespace: str, plural: str) -> dict[str, Object]:
    """All objects of a kind in a namespace, by their names. Raises ApiException or an error of the connection.

    client: of `cluster_client`.
    plural: `services`, `configurations` or `revisions`.
    """
    custom = kubernetes.client.CustomObjectsApi(client)
    found = custom.list_namespaced_custom_object(GROUP, VERSION, namespace, plural, _request_timeout=SECONDS)
    return {each["metadata"]["name"]: each for each in found["items"]}

"""Whether the cluster routes as an update was to have it: the shares of the Knative Service's status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kubernetes

from components.cluster.client import cluster_client
from components.knative.api import by_name
from status import StatusError
from status.cluster import answering
from status.reported import reported_shares
from status.wanted import of_outputs


def reported(stack: str, service: str, outputs: Mapping[str, Any]) -> dict[str, int]:
    """The share of each revision, in percent, as the cluster reports it; empty: the cluster has no such Service.

    outputs: of the stack, the kubeconfig included.

    Raises StatusError where the cluster does not answer.
    """
    wanted = of_outputs(stack, outputs)
    namespace = next(each.namespace for each in wanted.status.services if each.name == service)
    try:
        client = cluster_client(wanted.kubeconfig)
    except kubernetes.config.ConfigException as error:
        raise StatusError(f"The kubeconfig of the cluster {wanted.status.cluster} cannot be used: {error}") from None
    with answering(client, wanted.status.cluster):
        found = by_name(client, namespace, "services").get(service)
    return reported_shares(found) if found else {}


def difference(service: str, outputs: Mapping[str, Any], state: Mapping[str, Any], shares: Mapping[str, int]) -> str:
    """What is not as an update was to make it; empty: all is. Pure.

    outputs: what the update exported.
    state: of the rollout that it was made for, as it is exported.
    shares: what the cluster reports.
    """
    exported = ((outputs.get("rollouts") or {}).get(service) or {}).get("state")
    if exported != state:
        return f"the stack's outputs say another state of the rollout than was wanted: {exported}"
    tracks = outputs["services"][service]["tracks"].values()
    wanted = {track["revision"]: int(track["percent"]) for track in tracks if track["percent"]}
    found = {revision: share for revision, share in shares.items() if share}
    if found == wanted:
        return ""
    return f"the cluster reports {_told(found)}; wanted {_told(wanted)}"


def _told(shares: Mapping[str, int]) -> str:
    return ", ".join(f"{revision} {share} %" for revision, share in sorted(shares.items())) or "no shares at all"

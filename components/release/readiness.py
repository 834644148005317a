"""Why a Knative object is not ready, in the words of the cluster: its conditions, and what its pods say.

The provider's own wait only ever says "timed out"; a person wants the image that cannot be pulled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

PUT_BACK = "pulumi refresh --yes && pulumi up"
"""Makes again what somebody deleted: an `up` alone compares settings with its state."""
_FAILURE = "ReplicaFailure"
"""The condition of a Deployment that is bad when it is true."""


def error_hook(name: str, kubeconfig: pulumi.Output[str]) -> pulumi.ErrorHook:
    """A hook that tells why a Knative object is not ready, or was not taken, when its creation or update fails. It
    never retries.
    """

    async def tell(args: pulumi.ErrorHookArgs) -> bool:
        manifest = args.new_inputs
        if manifest and args.failed_operation == "update" and any("not found" in error for error in args.errors):
            pulumi.log.error(gone(manifest))
        elif manifest and args.failed_operation in ("create", "update") and not waited(args.errors):
            pulumi.log.error(refused(manifest))
        elif manifest and args.failed_operation in ("create", "update"):
            from components.release.diagnosis import why_not_ready  # noqa: PLC0415 - slow to import, only for a failure

            config = await kubeconfig.future()
            pulumi.log.error("\n".join(why_not_ready(str(config), manifest)))
        return False

    return pulumi.ErrorHook(name, tell)


def gone(manifest: Mapping[str, Any]) -> str:
    """What to do about an object that the state knows and the cluster does not have. Pure."""
    return (
        f"{manifest['kind']} {manifest['metadata']['name']} is in the state, and not in the cluster: "
        f"somebody deleted it. Make it again with: {PUT_BACK}"
    )


def waited(errors: Sequence[str]) -> bool:
    """Whether an operation failed because its object did not get ready, and not because the cluster did not take it.
    Pure.
    """
    return any("timed out waiting" in error for error in errors)  # the words of Kubernetes' own `wait` package


def refused(manifest: Mapping[str, Any]) -> str:
    """What is told of an object that the cluster did not take: a webhook denied it, a quota was used up, another field
    manager has its fields. Pure.
    """
    return (
        f"{manifest['kind']} {manifest['metadata']['name']} was not applied, and its traffic stays where it was. The "
        "error of the resource has the cluster's reason"
    )


def waited_for(manifest: Mapping[str, Any]) -> list[str]:
    """The revisions that an object is not ready without: its template's, and those that its traffic names. Pure."""
    spec = manifest["spec"]
    named = [spec["template"]["metadata"]["name"], *(target["revisionName"] for target in spec.get("traffic", []))]
    return list(dict.fromkeys(named))


def is_ready(found: Mapping[str, Any]) -> bool:
    """Whether an object's condition Ready is true. Pure."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in found.get("status", {}).get("conditions", []))


def conditions(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    """The conditions that are not as they should be, each message once. Pure.

    objects: Knative's, or Deployments as the client library gives them.
    """
    told: dict[str, str] = {}
    for each in objects:
        for condition in each.get("status", {}).get("conditions") or []:
            if (condition["status"] == "True") == (condition["type"] == _FAILURE) and condition.get("message"):
                told.setdefault(condition["message"], f"{each['metadata']['name']} {condition['type']}")
    return [f"{who}: {message}" for message, who in told.items()]


def of_pod(pod: Mapping[str, Any]) -> list[str]:
    """What a pod says of itself: why it is not scheduled, what its containers wait for or died of. Pure."""
    status, name = pod["status"], pod["metadata"]["name"]
    lines = [
        f"pod {name}: {c['message']}"
        for c in status.get("conditions") or []
        if c["type"] == "PodScheduled" and c["status"] == "False"
    ]
    for container in status.get("container_statuses") or []:
        state, last = container.get("state") or {}, container.get("last_state") or {}
        for what in (state.get("waiting"), state.get("terminated"), last.get("terminated")):
            if what:
                code = f" (exit code {what['exit_code']})" if what.get("exit_code") is not None else ""
                message = f": {what['message']}" if what.get("message") else ""
                lines.append(f"pod {name}, {container['name']}: {what['reason']}{code}{message}")
    return lines

"""Why a Knative object is not ready, in the words of the cluster: its conditions, and what its pods say.

The provider's own wait only ever says "timed out"; a person wants the image that cannot be pulled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import kubernetes
import pulumi
import yaml

GROUP, VERSION = "serving.knative.dev", "v1"
PLURALS = {"Service": "services", "Configuration": "configurations"}
LOG_LINES = 5
"""Lines of a container's log that are told."""
SECONDS = 10
"""Longest wait for one answer of the cluster."""


def error_hook(name: str, kubeconfig: pulumi.Output[str]) -> pulumi.ErrorHook:
    """A hook that tells why a Knative object is not ready, when its creation or update fails. It never retries."""

    async def tell(args: pulumi.ErrorHookArgs) -> bool:
        manifest = args.new_inputs
        if manifest and args.failed_operation in ("create", "update"):
            config = await kubeconfig.future()
            pulumi.log.error("\n".join(why_not_ready(str(config), manifest)))
        return False

    return pulumi.ErrorHook(name, tell)


def why_not_ready(kubeconfig: str, manifest: Mapping[str, Any]) -> list[str]:
    """What the cluster says of an object that was applied as `manifest` says, one line each."""
    namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
    client = kubernetes.config.new_client_from_config_dict(yaml.safe_load(kubeconfig))
    try:
        objects, core = kubernetes.client.CustomObjectsApi(client), kubernetes.client.CoreV1Api(client)
        plural = PLURALS[manifest["kind"]]
        released, *revisions = [
            objects.get_namespaced_custom_object(GROUP, VERSION, namespace, kind, each, _request_timeout=SECONDS)
            for kind, each in ((plural, name), *(("revisions", revision) for revision in waited_for(manifest)))
        ]
        unready = [revision for revision in revisions if not is_ready(revision)]
        lines = conditions([released, *unready])
        for revision in unready:
            selector = f"serving.knative.dev/revision={revision['metadata']['name']}"
            pods = core.list_namespaced_pod(namespace, label_selector=selector, _request_timeout=SECONDS).items
            lines += [line for pod in pods for line in of_pod(pod.to_dict())]
            for pod in pods[:1]:
                lines += _log(core, namespace, pod.metadata.name)
    except (kubernetes.client.ApiException, OSError) as error:
        lines = [f"and the cluster does not say why: {error}"]
    return [f"{manifest['kind']} {name} is not ready; its traffic stays where it was", *(f"  {line}" for line in lines)]


def waited_for(manifest: Mapping[str, Any]) -> list[str]:
    """The revisions that an object is not ready without: its template's, and those that its traffic names. Pure."""
    spec = manifest["spec"]
    named = [spec["template"]["metadata"]["name"], *(target["revisionName"] for target in spec.get("traffic", []))]
    return list(dict.fromkeys(named))


def is_ready(found: Mapping[str, Any]) -> bool:
    """Whether an object's condition Ready is true. Pure."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in found.get("status", {}).get("conditions", []))


def conditions(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    """The conditions that are not true, each told once. Pure."""
    told: dict[str, str] = {}
    for each in objects:
        for condition in each.get("status", {}).get("conditions", []):
            if condition["status"] != "True" and condition.get("message"):
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


def _log(core: Any, namespace: str, pod: str) -> list[str]:
    """The last lines of the pod's user container; of the one before, where it has just begun anew."""
    for previous in (True, False):
        try:
            text = core.read_namespaced_pod_log(
                pod,
                namespace,
                container="user-container",
                tail_lines=LOG_LINES,
                previous=previous,
                _request_timeout=SECONDS,
            )
        except kubernetes.client.ApiException:
            continue  # it never ran, or never before
        return [f"log of {pod}: {line}" for line in text.splitlines()]
    return []

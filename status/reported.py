"""What the cluster reports: shares of the Knative Service's status, revisions, pods, and what is not well. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from components.knative.api import Object
from components.release.plan import configuration_name
from components.release.readiness import PUT_BACK, conditions, of_pod
from components.release.urls import local, with_port
from components.release.urls import reported as reported_url
from status.cluster import Objects
from status.drift import drift
from status.model import Pod, Revision, Service, Track

REVISION_LABEL = "serving.knative.dev/revision"
MIN_SCALE = "autoscaling.knative.dev/min-scale"


def with_reported(service: Service, objects: Objects) -> Service:
    """A service as wanted, with what the cluster reports of it.

    Revisions that get requests, have a tag or have pods are told too where nobody wants them: after an `up` that
    failed, and while they end.
    """
    found = objects.services.get(service.name)
    if found is None:
        return dataclasses.replace(service, ready=False, problems=(f"not in the cluster: {PUT_BACK}",))
    if found.get("status", {}).get("url"):  # before that, the outputs know best
        service = dataclasses.replace(service, cluster_local=local(found["status"]))
    shares = reported_shares(found)
    pods = _by_revision(objects.pods_of.get(service.name, ()))
    wanted = {track.revision.name for track in service.tracks}
    others = sorted({*shares, *pods} - wanted)
    tracks = [*service.tracks, *(Track(name=None, revision=Revision(name=name)) for name in others)]
    filled = tuple(
        dataclasses.replace(
            track,
            reported=shares.get(track.revision.name),
            url=(_url(service, found, track.tag) if track.tag else None) or track.url,
            revision=_revision(track.revision.name, objects.revisions, pods.get(track.revision.name, [])),
        )
        for track in tracks
    )
    problems = tuple(problem.strip() for problem in _problems(service.name, filled, objects, pods))
    url = _url(service, found) or service.url
    return dataclasses.replace(service, url=url, tracks=filled, ready=_ready(found), problems=problems)


def _url(service: Service, found: Object, tag: str | None = None) -> str | None:
    """The URL that the cluster reports, at the port of the stack's outputs where it is one of the outside."""
    url = reported_url(found.get("status", {}), tag)
    return with_port(url, service.port) if url and not service.cluster_local else url


def reported_shares(service: Object) -> dict[str, int]:
    """The share of each revision that a Knative Service's status names; a tag alone is a share of 0."""
    shares: dict[str, int] = {}
    for target in service.get("status", {}).get("traffic", []):
        shares[target["revisionName"]] = shares.get(target["revisionName"], 0) + (target.get("percent") or 0)
    return shares


def _by_revision(pods: Sequence[Object]) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = {}
    for pod in pods:
        found.setdefault(pod["metadata"]["labels"][REVISION_LABEL], []).append(pod)
    return found


def _revision(name: str, revisions: Mapping[str, Object], pods: Sequence[Object]) -> Revision:
    filled = Revision(name=name, pods=tuple(pod_of(pod) for pod in pods))
    if name not in revisions:
        return filled
    metadata = revisions[name]["metadata"]
    return dataclasses.replace(
        filled,
        ready=_ready(revisions[name]),
        created=datetime.fromisoformat(metadata["creationTimestamp"]),
        min_scale=int(metadata.get("annotations", {}).get(MIN_SCALE, 0)),
    )


def pod_of(pod: Object) -> Pod:
    """A pod in one word, and how often its containers began anew."""
    status = pod["status"]
    containers = status.get("container_statuses") or []
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or [])
    return Pod(
        name=pod["metadata"]["name"],
        ready=ready,
        state=_state(pod, ready, containers),
        restarts=sum(container["restart_count"] for container in containers),
    )


def _state(pod: Object, ready: bool, containers: Sequence[Mapping[str, Any]]) -> str:
    if pod["metadata"].get("deletion_timestamp"):
        return "ending"
    if ready:
        return "running"
    for condition in pod["status"].get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return str(condition["reason"])
    for container in containers:
        state = container.get("state") or {}
        reason = (state.get("waiting") or state.get("terminated") or {}).get("reason")
        if reason and reason not in ("ContainerCreating", "PodInitializing"):
            return str(reason)
    return "starting"


def _ready(found: Object) -> bool | None:
    for condition in found.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready":
            return {"True": True, "False": False}.get(condition["status"])
    return None


def _problems(
    service: str, tracks: Sequence[Track], objects: Objects, pods: Mapping[str, Sequence[Object]]
) -> Iterator[str]:
    """Conditions that are not True, the cause before what follows from it, and pods that do not get ready."""
    names = [configuration_name(service, track.name) for track in tracks if track.name]
    revisions = [objects.revisions[t.revision.name] for t in tracks if t.revision.name in objects.revisions]
    configurations = [objects.configurations[name] for name in names if name in objects.configurations]
    told = [_without_notes(found) for found in (*revisions, *configurations, objects.services[service])]
    yield from conditions(told)
    yield from drift(service, tracks, objects)
    for track in tracks:
        if track.wanted is not None and track.revision.name not in objects.revisions:
            yield f"revision {track.revision.name} is not in the cluster: make up"
        for pod in pods.get(track.revision.name, []):
            if pod_of(pod).state not in ("running", "starting", "ending"):
                yield from of_pod(pod)


def _without_notes(found: Object) -> Object:
    """The object without conditions that are only a note: a revision without requests is not Active, and well."""
    status = found.get("status", {})
    kept = [condition for condition in status.get("conditions", []) if condition.get("severity") != "Info"]
    return {**found, "status": {**status, "conditions": kept}}

"""What is told of an object that does not get ready: read from an API, a revision that is missing included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from components.release.diagnosis import why_not_ready
from tests.unit.http_server import serving
from tests.unit.test_readiness import condition
from tests.unit.test_status_refusals import kubeconfig

KNATIVE = "/apis/serving.knative.dev/v1/namespaces/default"
REVISION, OTHER = "frontend-canary-v9", "frontend-canary-v1"
QUOTA = "pods is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1"


def configuration(revision: str = REVISION, *traffic: str) -> dict[str, Any]:
    """A Configuration as it was applied; with traffic, a Service."""
    spec: dict[str, Any] = {"template": {"metadata": {"name": revision}}}
    if traffic:
        spec["traffic"] = [{"revisionName": each} for each in traffic]
    kind = "Service" if traffic else "Configuration"
    return {"kind": kind, "metadata": {"namespace": "default", "name": "frontend-canary"}, "spec": spec}


def told(objects: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """What is told of the object on an API that has these objects, by the beginning of their paths."""

    def answer(path: str, _: Any) -> tuple[int, str]:
        found = objects.get(path.partition("?")[0])
        if found is None and path.partition("?")[0].endswith(("/pods", "/deployments")):
            found = {"items": []}
        return (404, "{}") if found is None else (200, json.dumps(found))

    with serving(answer) as port:
        return "\n".join(why_not_ready(kubeconfig(f"http://127.0.0.1:{port}"), manifest))


def unready(name: str, message: str) -> dict[str, Any]:
    """An object of Knative that says why it is not ready."""
    return {"metadata": {"name": name}, "status": {"conditions": [condition("Ready", "False", message)]}}


@pytest.mark.parametrize(
    "reason",
    [
        'Revision creation failed with message: admission webhook "policy" denied the request: no latest tag.',
        'revisions.serving.knative.dev "x" is forbidden: exceeded quota: few, requested: count/revisions=1',
        f'Revision "{REVISION}" already exists and is not owned by this Configuration',
    ],
    ids=["policy", "quota", "name"],
)
def test_the_reason_is_told_where_the_revision_was_never_made(reason: str) -> None:
    message = told({f"{KNATIVE}/configurations/frontend-canary": unready("frontend-canary", reason)}, configuration())
    assert reason in message and f"{REVISION} is not in the cluster" in message
    assert "404" not in message and "does not say why" not in message, message


def test_one_missing_revision_does_not_hide_what_another_says() -> None:
    objects = {
        f"{KNATIVE}/services/frontend-canary": unready("frontend-canary", "Revision x failed"),
        f"{KNATIVE}/revisions/{OTHER}": unready(OTHER, "no such image"),
    }
    message = told(objects, configuration(REVISION, REVISION, OTHER))
    for part in ("Revision x failed", "no such image", f"{REVISION} is not in the cluster"):
        assert part in message, message


def test_what_keeps_pods_from_being_made_is_told_in_the_clusters_words() -> None:
    states = [
        condition("Progressing", "True", "ReplicaSet is progressing."),
        condition("ReplicaFailure", "True", QUOTA),
    ]
    deployment = {"metadata": {"name": f"{REVISION}-deployment"}, "status": {"conditions": states}}
    objects = {
        f"{KNATIVE}/configurations/frontend-canary": unready("frontend-canary", "Revision failed"),
        f"{KNATIVE}/revisions/{REVISION}": unready(REVISION, "Initial scale was never achieved"),
        "/apis/apps/v1/namespaces/default/deployments": {"items": [deployment]},
    }
    message = told(objects, configuration())
    assert f"{REVISION}-deployment ReplicaFailure: {QUOTA}" in message
    assert "it is progressing" not in message, "what is well is told as a fault"


def test_an_object_that_is_gone_is_no_traceback() -> None:
    assert f"{REVISION} is not in the cluster" in told({}, configuration())


def test_what_is_known_is_told_where_the_rest_may_not_be_read() -> None:
    objects = {f"{KNATIVE}/configurations/frontend-canary": unready("frontend-canary", "no such image")}

    def answer(path: str, _: Any) -> tuple[int, str]:
        return (200, json.dumps(objects[path])) if path in objects else (403, "{}")

    with serving(answer) as port:
        message = "\n".join(why_not_ready(kubeconfig(f"http://127.0.0.1:{port}"), configuration()))
    assert "frontend-canary Ready: no such image" in message and "the cluster does not say more: (403)" in message

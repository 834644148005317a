"""What is told of a Knative object that is not ready: the cluster's own words, each once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from components.release.readiness import conditions, error_hook, is_ready, of_pod, waited_for
from tests.unit.test_graph_ownership import whole


def condition(name: str, status: str, message: str = "") -> dict[str, str]:
    """A condition as Kubernetes has it."""
    return {"type": name, "status": status, "message": message}


def pod(**status: Any) -> dict[str, Any]:
    """A pod as the client library gives it."""
    return {"metadata": {"name": "p"}, "status": status}


def test_a_message_that_several_conditions_share_is_told_once_and_good_ones_not_at_all() -> None:
    service = {"metadata": {"name": "s"}, "status": {"conditions": [condition("Ready", "False", "no image")]}}
    states = [condition("Ready", "False", "no image"), condition("Active", "True", "fine"), condition("X", "Unknown")]
    revision = {"metadata": {"name": "r"}, "status": {"conditions": states}}
    assert conditions([service, revision]) == ["s Ready: no image"], "a person reads the same again, or nothing"


def test_a_service_waits_for_its_own_revision_and_for_each_that_its_traffic_names() -> None:
    spec: dict[str, Any] = {"template": {"metadata": {"name": "stable"}}}
    assert waited_for({"spec": spec}) == ["stable"], "a Configuration's own revision is not looked at"
    spec["traffic"] = [{"revisionName": "stable", "percent": 90}, {"revisionName": "canary", "percent": 10}]
    assert waited_for({"spec": spec}) == ["stable", "canary"], "a canary that freezes the Route is not told"


def test_an_object_is_ready_when_its_condition_says_so() -> None:
    assert is_ready({"status": {"conditions": [condition("Active", "False"), condition("Ready", "True")]}})
    assert not is_ready({"status": {"conditions": [condition("Active", "True"), condition("Ready", "Unknown")]}})
    assert not is_ready({}), "an object without a status passes for a good one"


def test_an_object_without_a_status_has_nothing_to_say() -> None:
    assert conditions([{"metadata": {"name": "s"}}]) == []


def test_a_pod_that_cannot_be_scheduled_says_why() -> None:
    unscheduled = pod(conditions=[condition("PodScheduled", "False", "0/1 nodes: Insufficient cpu")])
    assert of_pod(unscheduled) == ["pod p: 0/1 nodes: Insufficient cpu"]


def test_a_container_says_what_it_waits_for_and_what_it_died_of() -> None:
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}}
    last = {"terminated": {"reason": "Error", "exit_code": 1, "message": None}}
    found = of_pod(pod(container_statuses=[{"name": "user-container", "state": state, "last_state": last}]))
    assert found == [
        "pod p, user-container: CrashLoopBackOff: back-off 40s",
        "pod p, user-container: Error (exit code 1)",
    ]


def test_every_released_object_has_the_hook(small: Path) -> None:
    released = [r for r in whole(small).resources if r.type.startswith("kubernetes:serving.knative.dev/")]
    assert released and all(r.error_hooks for r in released), "a version that never gets ready only times out"


MANIFEST = {"kind": "Service", "metadata": {"name": "frontend", "namespace": "default"}}


def told(error: str, operation: str = "update") -> str:
    """What the hook tells of an operation that failed with an error."""
    hooks: list[Any] = []
    told: list[str] = []
    kubeconfig = mock.Mock(future=mock.AsyncMock(return_value=""))
    with (
        mock.patch("pulumi.ErrorHook", lambda _, tell: hooks.append(tell)),
        mock.patch("pulumi.log.error", told.append),
        mock.patch("components.release.diagnosis.why_not_ready", return_value=["asked the cluster"]),
    ):
        error_hook("any", kubeconfig)
        args = mock.Mock(new_inputs=MANIFEST, failed_operation=operation, errors=[error])
        assert asyncio.run(hooks[0](args)) is False
    (message,) = told
    return message


def test_an_object_that_the_cluster_does_not_have_is_told_with_the_way_out() -> None:
    message = told('services "frontend" not found')
    assert message.startswith("Service frontend is in the state, and not in the cluster")
    assert "pulumi refresh --yes && pulumi up" in message


@pytest.mark.parametrize("operation", ["create", "update"])
@pytest.mark.parametrize(
    "error",
    [
        "Server-Side Apply field conflict detected.",
        'admission webhook "policy.example.com" denied the request: no latest tag',
        "is forbidden: exceeded quota: few",
    ],
)
def test_an_object_that_the_cluster_did_not_take_is_not_called_unready(operation: str, error: str) -> None:
    message = told(f"1 error occurred: * the Kubernetes API server reported that {error}", operation)
    assert message.startswith("Service frontend was not applied") and "ready" not in message


def test_an_object_that_was_waited_for_in_vain_has_the_cluster_asked() -> None:
    error = '"frontend" failed to fully initialize or become live: timed out waiting for the condition'
    assert told(error) == "asked the cluster"


def test_a_deployment_that_cannot_make_pods_is_told_though_that_condition_is_true() -> None:
    states = [condition("Available", "True", "fine"), condition("ReplicaFailure", "True", "exceeded quota")]
    assert conditions([{"metadata": {"name": "d"}, "status": {"conditions": states}}]) == [
        "d ReplicaFailure: exceeded quota"
    ]


def test_a_change_by_other_tools_is_taken_back_and_no_conflict(small: Path) -> None:
    objects = whole(small).kubernetes()
    released = [r for r in objects if r.type.startswith("kubernetes:serving.knative.dev/")]
    forced = [r for r in objects if "pulumi.com/patchForce" in r.annotations]
    assert released and forced == released, (
        "a console's change of the traffic ends every later `up`, or others are forced"
    )

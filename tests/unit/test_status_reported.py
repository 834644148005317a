"""What the cluster's objects say of a release."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from status import StatusError
from status.model import Service
from status.reported import pod_of, reported_shares, with_reported
from status.wanted import of_outputs
from tests.unit.release_status import CANARY, OLD, OUTPUTS, STABLE, condition, named, objects, pod, waiting, wanted
from tests.unit.test_kubeconfig import write


def reported(**given: Any) -> Service:
    """The service with what the cluster reports."""
    (service,) = wanted().status.services
    return with_reported(service, objects(**given))


def test_the_outputs_say_where_a_service_is_asked() -> None:
    (service,) = wanted().status.services
    assert (service.host, service.port, service.namespace) == (
        "notifications.default.127.0.0.1.sslip.io",
        8080,
        "default",
    )
    assert [(t.name, t.wanted, t.tag) for t in service.tracks] == [("stable", 50, None), ("canary", 50, "next")]


def test_urls_are_those_that_the_cluster_reports_at_the_port_of_the_outputs() -> None:
    service = named("notifications")
    service["status"]["url"] = "http://notifications-default.mine.test"
    service["status"]["traffic"] = [
        {"revisionName": STABLE, "percent": 50},
        {"revisionName": CANARY, "percent": 50, "tag": "next", "url": "http://notifications-next.mine.test"},
    ]
    found = reported(services={"notifications": service})
    assert (found.url, found.host) == ("http://notifications-default.mine.test:8080", "notifications-default.mine.test")
    assert [track.url for track in found.tracks] == [None, "http://notifications-next.mine.test:8080"], (
        "another domain template or tag template makes every request fail"
    )
    assert found.namespace == "default", "it is read from a host name that is not Knative's default"


def test_a_url_with_tls_is_asked_at_its_port() -> None:
    service = named("notifications")
    service["status"] = {**service["status"], "url": "https://notifications.mine.test", "traffic": []}
    (outputs,) = wanted().status.services
    found = with_reported(
        dataclasses.replace(outputs, url="http://notifications.mine.test"), objects(services={"notifications": service})
    )
    assert (found.url, found.port, found.encrypted) == ("https://notifications.mine.test", 443, True)


def test_a_service_is_asked_where_its_ingress_is(tmp_path: Path) -> None:
    theirs = {**OUTPUTS, "cluster": "mine", "kubeconfigPath": str(write(tmp_path / "config", "mine"))}
    del theirs["kubeconfig"]
    found = [
        of_outputs("dev", outputs).status.services[0].address
        for outputs in (OUTPUTS, {**theirs, "address": "192.0.2.7"}, theirs)
    ]
    assert found == ["127.0.0.1", "192.0.2.7", None], "kind, the load balancer, a Knative with names of its own"


def test_the_kubeconfig_is_in_no_representation() -> None:
    assert "the kubeconfig" not in repr(wanted()), "a traceback or a log would show it"


def test_a_stack_without_an_environment_names_the_way_out() -> None:
    with pytest.raises(StatusError, match=r"dev has no environment: make up"):
        of_outputs("dev", {})


def test_a_cluster_that_the_stack_did_not_make_is_reached_by_the_users_kubeconfig(tmp_path: Path) -> None:
    outputs = {"services": {}, "cluster": "mine", "kubeconfigPath": str(write(tmp_path / "config", "mine"))}
    assert "token-of-mine" in of_outputs("dev", outputs).kubeconfig, "the cluster is not asked"
    with pytest.raises(StatusError, match="no context gone"):
        of_outputs("dev", {**outputs, "cluster": "gone"})
    assert OUTPUTS["services"], "with one it does not"


def test_wanted_and_reported_stand_side_by_side() -> None:
    service = reported(traffic={STABLE: 90, CANARY: 10})
    assert [(t.name, t.wanted, t.reported) for t in service.tracks] == [("stable", 50, 90), ("canary", 50, 10)]
    assert service.ready and not service.problems
    assert [[p.state for p in t.revision.pods] for t in service.tracks] == [["running"], ["running"]]


def test_a_revision_that_several_targets_name_has_their_sum_and_a_tag_alone_is_zero() -> None:
    traffic = [
        {"revisionName": "a", "percent": 60},
        {"revisionName": "a", "percent": 40, "tag": "x"},
        {"revisionName": "b", "tag": "y"},
    ]
    assert reported_shares({"status": {"traffic": traffic}}) == {"a": 100, "b": 0}
    assert reported_shares({}) == {}, "a service that is just made has no status"


def test_what_nobody_wants_but_is_there_is_told_too() -> None:
    service = reported(traffic={OLD: 100}, pods=[pod("p", OLD), pod("q", "other", service="frontend")])
    assert [(t.name, t.revision.name, t.reported) for t in service.tracks] == [
        ("stable", STABLE, None),
        ("canary", CANARY, None),
        (None, OLD, 100),
    ]


def test_a_service_that_is_not_in_the_cluster_says_so() -> None:
    assert reported(services={}).problems == ("not in the cluster: pulumi refresh --yes && pulumi up",)


def test_a_wanted_revision_that_is_not_in_the_cluster_is_a_problem() -> None:
    assert reported(revisions={STABLE: named(STABLE)}).problems == (
        f"revision {CANARY} is not in the cluster: make up",
    )


def test_an_unready_track_tells_the_cause_first_and_what_follows_once() -> None:
    failed = named(CANARY, condition("no such image"))
    track = named("notifications-canary", condition("revision failed"))
    service = named("notifications", condition("revision failed"))
    found = reported(
        services={"notifications": service},
        revisions={STABLE: named(STABLE), CANARY: failed},
        configurations={"notifications-canary": track},
        pods=[pod("p", CANARY, **waiting("ImagePullBackOff", "back-off"))],
    )
    assert found.problems == (
        f"{CANARY} Ready: no such image",
        "notifications-canary Ready: revision failed",
        "pod p, user-container: ImagePullBackOff: back-off",
    )
    assert found.ready is False and [t.revision.ready for t in found.tracks] == [True, False]


def test_a_revision_without_requests_is_no_problem() -> None:
    quiet = {"type": "Active", "status": "False", "severity": "Info", "message": "The target is not receiving traffic."}
    ready = {"type": "Ready", "status": "True"}
    revisions = {STABLE: named(STABLE), CANARY: named(CANARY, ready, quiet)}
    assert not reported(revisions=revisions, pods=[]).problems


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({}, "running"),
        (waiting("CrashLoopBackOff", "back-off 40s"), "CrashLoopBackOff"),
        (waiting("ContainerCreating", ""), "starting"),
        ({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}, "Unschedulable"),
        ({"conditions": None, "container_statuses": None}, "starting"),
    ],
)
def test_a_pods_state_is_one_word(status: dict[str, Any], state: str) -> None:
    assert pod_of(pod("p", STABLE, **status)).state == state


def test_a_pod_that_ends_is_told_as_ending_though_it_still_answers() -> None:
    ending = pod("p", STABLE)
    ending["metadata"]["deletion_timestamp"] = "2026-11-23T10:00:00Z"
    assert pod_of(ending).state == "ending"


def test_min_scale_is_the_revisions_own() -> None:
    kept = named(STABLE, **{"autoscaling.knative.dev/min-scale": "1"})
    service = reported(revisions={STABLE: kept, CANARY: named(CANARY)})
    assert [t.revision.min_scale for t in service.tracks] == [1, 0]

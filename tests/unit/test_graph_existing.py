"""On a cluster that is there already: what is put into it, in which order it can be taken out, what is not touched."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from components.cluster.objects import OWNER_ANNOTATION
from components.knative.kourier import INGRESS_CLASS
from tests.unit import image_archives
from tests.unit.asked import CONTEXT, UID, TableCluster, knative, named
from tests.unit.recording import ADDRESS, Recorded, record, word
from tests.unit.test_graph_order import children, services, waits_for_all

EXISTING = {"provider": "existing", "context": CONTEXT}
TRACKS = {"canary": {"version": "v1.1.0", "tag": "next"}}
KNATIVE_TYPE = "kubernetes:serving.knative.dev/v1:Service"
KNATIVE_SERVICE = "/apis/serving.knative.dev/v1/namespaces/default/services/frontend"


def existing(
    manifests: Path,
    asked: TableCluster | None = None,
    *,
    first_preview: bool = False,
    made_for: str | None = None,
    **settings: Any,
) -> Recorded:
    """The program on a cluster that answers from a table."""
    found = asked or TableCluster()
    with (
        mock.patch("assembly.existing.of_context", return_value=found.kubeconfig),
        mock.patch("assembly.existing.AskedCluster", return_value=found),
    ):
        configuration = {"canaryPercent": 50, "services": {"frontend": {"tracks": TRACKS}}, "cluster": EXISTING}
        return record({**configuration, **settings}, manifests, first_preview=first_preview, made_for=made_for)


@cache
def whole(manifests: Path) -> Recorded:
    """The program with a canary and its own Knative."""
    recorded = existing(manifests)
    assert recorded.error is None, f"the program ended: {recorded.error!r}"
    return recorded


def data_of(recorded: Recorded, config_map: str) -> Mapping[str, str]:
    """Data of a ConfigMap of Knative."""
    data: Mapping[str, str] = recorded.one("ConfigMap", f"knative-serving/{config_map}").inputs["data"]
    return data


def test_no_cluster_is_made_and_the_provider_reads_the_users_context(small: Path) -> None:
    recorded = whole(small)
    inputs = recorded.one("kubernetes", "cluster-provider").inputs
    assert inputs["context"] == CONTEXT, "it is changed whatever context is current"
    assert "kubeconfig" not in inputs, "the user's credentials are in the state"
    assert inputs["clusterIdentifier"] == UID, "a renewed certificate would replace everything"
    assert not [r for r in recorded.resources if "kind" in r.name], "a kind cluster is made beside it"
    assert recorded.outputs["cluster"] == CONTEXT and "kubeconfig" not in recorded.outputs


def test_every_object_says_whose_it_is(manifests: Path) -> None:
    objects = [r for r in whole(manifests).kubernetes() if r.kind != "Release"]
    strays = [r.urn for r in objects if r.annotations.get(OWNER_ANNOTATION) != word("cluster-owner-word")]
    assert not strays, f"a second stack would take these for its own: {strays}"


def test_so_do_the_volumes_that_helm_leaves(small: Path) -> None:
    for name, path in (("kafka", ()), ("postgresql", ("primary",)), ("redis", ("master",))):
        values = whole(small).one("Release", name).inputs["values"]
        for part in path:
            values = values[part]
        assert values["persistence"]["annotations"] == {OWNER_ANNOTATION: word("cluster-owner-word")}, name


def test_everything_is_deleted_by_itself_and_not_with_a_cluster(manifests: Path) -> None:
    recorded = whole(manifests)
    assert not [r.urn for r in recorded.kubernetes() if r.deleted_with], "a destroy leaves it in the cluster"


def test_knative_goes_after_the_ingresses_of_the_services_are_gone(manifests: Path) -> None:
    recorded = whole(manifests)
    farewell = recorded.one("Command", "cluster-farewell")
    waits_for_all(recorded, services(recorded), [farewell])
    waits_for_all(recorded, [farewell], recorded.of_kind("Deployment", "CustomResourceDefinition"))
    assert farewell.inputs["delete"].endswith("run.sh ingresses_gone")
    released = {r.name for r in recorded.resources if r.type == KNATIVE_TYPE}
    assert set(farewell.inputs["environment"]["SERVICES"].split()) == released


def test_nobody_waits_until_the_pods_of_a_deleted_version_have_drained(small: Path) -> None:
    policy = "pulumi.com/deletionPropagationPolicy"
    assert {r.annotations.get(policy) for r in services(whole(small))} == {"background"}


def test_a_namespace_goes_after_the_pods_in_it_are_gone(manifests: Path) -> None:
    policy = "pulumi.com/deletionPropagationPolicy"
    plane = whole(manifests).of_kind("Deployment")
    background = [r.urn for r in plane if r.annotations.get(policy)]
    assert plane and not background, f"the namespace waits for half of the pods' grace period, minutes: {background}"


def test_domain_and_urls_are_made_of_the_load_balancers_address(manifests: Path) -> None:
    recorded = whole(manifests)
    assert data_of(recorded, "config-domain")[f"{ADDRESS}.sslip.io"] == "", "Knative makes other URLs"
    assert recorded.outputs["services"]["frontend"]["url"] == f"http://frontend.default.{ADDRESS}.sslip.io"
    assert recorded.outputs["address"] == ADDRESS


def test_a_given_domain_is_taken_instead(small: Path) -> None:
    recorded = existing(small, knative={"domain": "mine.test"})
    assert data_of(recorded, "config-domain")["mine.test"] == ""
    assert recorded.outputs["services"]["frontend"]["url"] == "http://frontend.default.mine.test"


def test_the_address_is_awaited_before_whatever_needs_it(manifests: Path) -> None:
    recorded = whole(manifests)
    balancer = recorded.one("Service", "kourier-system/kourier")
    assert balancer.annotations["pulumi.com/waitFor"] == "jsonpath={.status.loadBalancer.ingress}"
    assert "pulumi.com/skipAwait" not in balancer.annotations, "it is not waited for"
    assert balancer.custom_timeouts["create"] == "300s" and balancer.error_hooks, "it is waited for in silence"
    waits_for_all(recorded, recorded.of_kind("Deployment"), [balancer])
    waits_for_all(recorded, services(recorded), [balancer])


def test_there_is_no_node_port_and_no_object_twice(manifests: Path) -> None:
    recorded = whole(manifests)
    assert not [r for r in recorded.resources if r.name.endswith("kourier-ingress")], "a port of every node is opened"
    urns = [(r.type, r.name) for r in recorded.resources]
    assert len(urns) == len(set(urns)), "two owners of one object"


def test_everything_of_kouriers_waits_for_its_namespace(manifests: Path) -> None:
    recorded = whole(manifests)
    inside = [r for r in recorded.kubernetes() if r.name.startswith("kourier-system/")]
    waits_for_all(recorded, inside, [recorded.one("Namespace", "kourier-system")])
    assert children(recorded, "kourier"), "nothing of Kourier's is made"


def test_requests_are_as_released(small: Path) -> None:
    pod = whole(small).one("Deployment", "knative-serving/controller").inputs["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"]["requests"]["cpu"] == "100m", "the small profile is for two cores"


def test_sizes_and_classes_of_the_volumes_are_settings(small: Path) -> None:
    store = {"size": "20Gi", "storageClass": "fast"}
    recorded = existing(small, kafka=store, postgresql=store, redis=store)
    for name, path in (("kafka", ()), ("postgresql", ("primary",)), ("redis", ("master",))):
        values = recorded.one("Release", name).inputs["values"]
        for part in path:
            values = values[part]
        assert store.items() <= values["persistence"].items(), f"{name} has another volume"


def test_archives_are_not_loaded_and_that_is_said(small: Path, tmp_path: Path) -> None:
    archive = image_archives.write(tmp_path / "a.tar", "docker.io/bitnamilegacy/kafka:3.4.1")
    recorded = existing(small, sources={"archives": [str(archive)]})
    assert not [r for r in recorded.resources if "image" in r.name and r.kind == "Command"], "kind is called"
    assert any("are not loaded" in warning for warning in recorded.warnings), (
        "pods wait for images, and nobody knows why"
    )


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("first_preview", [False, True], ids=["up", "first preview"])
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/knative-serving",
        KNATIVE_SERVICE,
        "/api/v1/namespaces/default/services/frontend",
        "/api/v1/namespaces/default/services/next-frontend",
        "/apis/serving.knative.dev/v1/namespaces/default/routes/frontend",
    ],
)
def test_what_somebody_else_has_there_ends_the_program_before_anything_is_put_in(
    small: Path, path: str, first_preview: bool
) -> None:
    there = TableCluster({path: named("any", path.rpartition("/")[2])})
    recorded = existing(small, there, first_preview=first_preview)
    assert "did not make it" in str(recorded.error), "it is adopted"
    assert not recorded.kubernetes(), "something was put into the cluster all the same"
    # Futures of the refused registrations, which nobody waits for, end here and not within a later test.
    del recorded
    gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_context_that_means_another_cluster_ends_the_program_before_anything_is_replaced(small: Path) -> None:
    recorded = existing(small, made_for="uid-of-the-cluster-before")
    assert "means another cluster" in str(recorded.error), "everything is made in the new cluster, and deleted there"
    assert not recorded.kubernetes() and not recorded.of_kind("kubernetes"), "an up would go on"
    del recorded
    gc.collect()


def test_the_cluster_that_the_state_knows_is_not_made_another_by_an_up(small: Path) -> None:
    kept = whole(small).one("Command", "cluster-made-for")
    assert kept.ignore_changes == ("environment",), "an up would change what the state says before it is compared"


def test_a_destroy_asks_whose_cluster_it_is_before_anything_goes(manifests: Path) -> None:
    recorded = whole(manifests)
    guard = recorded.one("Command", "cluster-guard")
    waits_for_all(recorded, [guard], recorded.kubernetes())
    assert guard.inputs["delete"].endswith("run.sh same_cluster")
    environment = guard.inputs["environment"]
    assert (environment["CLUSTER_CONTEXT"], environment["CLUSTER_IDENTITY"]) == (CONTEXT, UID)


def test_a_first_preview_of_a_cluster_that_is_free_goes_through(small: Path) -> None:
    recorded = existing(small, first_preview=True)
    assert recorded.error is None, f"the program ended: {recorded.error!r}"
    assert recorded.kubernetes(), "the preview is empty"


def test_a_knative_that_is_there_is_used_and_none_is_made(small: Path) -> None:
    recorded = existing(small, TableCluster(knative("1.23.0")), knative={"install": False})
    assert recorded.error is None, f"the program ended: {recorded.error!r}"
    assert not recorded.of_kind("Deployment", "CustomResourceDefinition", "Namespace"), (
        "the cluster's Knative is changed"
    )
    assert {r.name for r in services(recorded)} >= {"frontend", "frontend-canary"}, "nothing is released"
    assert recorded.outputs["services"]["frontend"]["url"] == "http://frontend.default.example.test"
    assert recorded.outputs["knative"] == "1.23.0"


def test_a_knative_that_is_not_fit_ends_the_program_before_anything_is_registered(small: Path) -> None:
    recorded = existing(small, TableCluster(knative(features={})), knative={"install": False})
    assert "features are off" in str(recorded.error)
    assert not recorded.resources, "something was made"


def test_without_installing_no_manifest_is_read(tmp_path: Path) -> None:
    recorded = existing(tmp_path, TableCluster(knative()), knative={"install": False})
    assert recorded.error is None, "manifests are asked for that nobody needs"


@pytest.mark.parametrize(("ingress", "notes"), [("other.ingress", 1), (INGRESS_CLASS, 0)])
def test_another_ingress_is_taken_and_what_it_means_for_rollouts_is_said(small: Path, ingress: str, notes: int) -> None:
    there = TableCluster(knative(network={"ingress-class": ingress}))
    with mock.patch("pulumi.info") as info:
        recorded = existing(small, there, knative={"install": False})
    assert recorded.error is None and services(recorded), "the cluster is refused"
    said = [call.args[0] for call in info.call_args_list if "other.ingress and not Kourier's" in call.args[0]]
    assert len(said) == notes and all("--source prometheus:<URL>" in each for each in said), said


def test_a_second_update_does_not_stumble_over_what_knative_made_for_the_first(small: Path) -> None:
    mine = {OWNER_ANNOTATION: word("cluster-owner-word")}
    there: dict[str, Any] = {KNATIVE_SERVICE: {"metadata": {"name": "frontend", "annotations": mine}}}
    for path, maker in (
        ("/apis/serving.knative.dev/v1/namespaces/default/routes/frontend", "Service"),
        ("/apis/serving.knative.dev/v1/namespaces/default/configurations/frontend", "Service"),
        ("/api/v1/namespaces/default/services/frontend", "Route"),
        ("/api/v1/namespaces/default/services/next-frontend", "Route"),
    ):
        owners = [{"kind": maker, "name": "frontend", "controller": True}]
        there[path] = {"metadata": {"name": path.rpartition("/")[2], "ownerReferences": owners}}
    assert existing(small, TableCluster(there)).error is None, "every `up` after the first one is refused"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("template", "taken"), [("{{.Name}}--{{ .Tag }}", "frontend--next"), ("{{.Tag}}-{{index .Labels `a`}}", None)]
)
def test_tags_are_claimed_by_the_names_that_the_clusters_template_gives_them(
    small: Path, template: str, taken: str | None
) -> None:
    for name in ("frontend--next", "next-frontend"):
        there = TableCluster(
            {
                **knative(network={"tag-template": template}),
                f"/api/v1/namespaces/default/services/{name}": named("any", name),
            }
        )
        recorded = existing(small, there, knative={"install": False})
        assert bool(recorded.error) == (name == taken), f"{name}: {recorded.error}"
        del recorded
    gc.collect()


def test_a_user_who_may_not_look_learns_all_that_is_missing_at_once(small: Path) -> None:
    there = TableCluster(
        knative(), refused=["/api/v1/namespaces/kube-system", "/apis/serving.knative.dev", "/apis/apps"]
    )
    recorded = existing(small, there, knative={"install": False})
    for part in (
        "get namespaces kube-system",
        "list routes.serving.knative.dev in default",
        "get deployments.apps webhook in knative-serving",
    ):
        assert f"- {part}\n" in str(recorded.error), f"{part} is not told"
    assert not recorded.resources, "something was registered"

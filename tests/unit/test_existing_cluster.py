"""A cluster that the program did not create: asked first, nothing in it adopted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.asked_cluster import OtherClusterError, path_of
from components.commands.processes import CommandError
from components.commands.same_cluster import same_cluster
from components.existing_cluster import OwnershipError, outside, refuse_foreign
from components.objects import OWNER_ANNOTATION
from tests.unit.asked import CONTEXT, SPACE, UID, TableCluster, named
from tests.unit.http_server import Answer, serving
from tests.unit.small_release import manifest
from tests.unit.test_status_refusals import kubeconfig


@pytest.mark.parametrize(
    ("api", "kind", "namespace", "path"),
    [
        ("v1", "Namespace", "", "/api/v1/namespaces/a"),
        ("v1", "ConfigMap", "n", "/api/v1/namespaces/n/configmaps/a"),
        ("apps/v1", "Deployment", "n", "/apis/apps/v1/namespaces/n/deployments/a"),
        ("serving.knative.dev/v1", "Service", "n", "/apis/serving.knative.dev/v1/namespaces/n/services/a"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "", "/apis/rbac.authorization.k8s.io/v1/clusterroles/a"),
    ],
)
def test_an_object_is_asked_for_where_the_api_has_it(api: str, kind: str, namespace: str, path: str) -> None:
    assert path_of(manifest(kind, "a", namespace, api)) == path, "it would always seem not to be there"


def test_what_is_inside_of_a_claimed_namespace_is_not_asked_for_by_itself() -> None:
    space, inside, beside = manifest("Namespace", "n"), manifest("ConfigMap", "c", "n"), manifest("ConfigMap", "c", "m")
    assert outside([space, inside, beside]) == [space, beside], "a hundred questions more, or one too few"


def test_only_what_is_there_comes_back() -> None:
    there = {"/api/v1/namespaces/a": named("Namespace", "a")}
    asked = TableCluster(there)
    assert asked.there([manifest("Namespace", "a"), manifest("Namespace", "b")]) == list(there.values())


def test_volumes_of_releases_are_asked_for_by_their_label() -> None:
    asked = TableCluster(
        {"/api/v1/namespaces/default/persistentvolumeclaims": {"items": [{"metadata": {"name": "d"}}]}}
    )
    assert asked.volumes("default", ["a", "b"]) == [{"kind": "PersistentVolumeClaim", "metadata": {"name": "d"}}]
    assert asked.paths[-1].endswith("?labelSelector=app.kubernetes.io/instance in (a,b)"), "others' volumes are blamed"


def test_what_carries_the_stacks_own_word_is_its_own() -> None:
    mine = named("Namespace", "knative-serving")
    mine["metadata"]["annotations"] = {OWNER_ANNOTATION: "word"}
    refuse_foreign(CONTEXT, "default", [mine], "word")


def test_everything_foreign_is_told_at_once_with_the_ways_out() -> None:
    other = named("Service", "frontend")
    other["metadata"]["annotations"] = {OWNER_ANNOTATION: "another word"}
    found = [named("Namespace", "knative-serving"), other, named("PersistentVolumeClaim", "data-kafka-0")]
    with pytest.raises(OwnershipError) as raised:
        refuse_foreign(CONTEXT, "default", found, "word")
    message = str(raised.value)
    for part in (
        "Namespace knative-serving",
        "Service frontend",
        "knative.install' false",
        "cluster.context",
        f"kubectl --context {CONTEXT} delete pvc --namespace default data-kafka-0",
        "nothing was changed",
    ):
        assert part in message, f"{part} is not told"


def test_a_way_out_that_does_not_help_is_not_told() -> None:
    with pytest.raises(OwnershipError) as raised:
        refuse_foreign(CONTEXT, "default", [named("Service", "frontend")], "word")
    assert "knative.install" not in str(raised.value) and "delete pvc" not in str(raised.value)


def test_another_cluster_behind_the_same_context_is_told_with_the_ways_out() -> None:
    TableCluster().refuse_other(UID, "staging")
    with pytest.raises(OtherClusterError) as raised:
        TableCluster().refuse_other("uid-before", "staging")
    for part in (
        CONTEXT,
        "uid-before",
        UID,
        "Nothing was changed",
        "cluster.context",
        "stack rm --force --preserve-config staging",
        "make up",
        "stack init",
    ):
        assert part in str(raised.value), f"{part} is not told"


def api(uid: str) -> Answer:
    """An API server with nothing but the namespace that tells a cluster."""
    space = {"metadata": {"name": "kube-system", "uid": uid}}
    return lambda path, _: (200, json.dumps(space)) if path == f"{SPACE}/kube-system" else (404, "")


def test_a_destroy_goes_on_only_in_the_cluster_that_the_stack_was_put_into(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    with serving(api(UID)) as port:
        file.write_text(kubeconfig(f"http://127.0.0.1:{port}"))
        same_cluster("c", str(file), UID, "staging")
        with pytest.raises(CommandError, match="means another cluster"):
            same_cluster("c", str(file), "uid-before", "staging")
    for context, told in (("c", "does not answer"), ("gone", "there is no context gone")):
        with pytest.raises(CommandError, match=rf"(?s){told}.*stack rm --force --preserve-config staging"):
            same_cluster(context, str(file), UID, "staging")

"""A cluster that the program did not create: asked first, nothing in it adopted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.cluster.api_paths import collection_of, is_collection, question
from components.cluster.asked import Found, OtherClusterError, RefusedError
from components.cluster.existing import outside
from components.cluster.objects import OWNER_ANNOTATION
from components.cluster.ownership import OwnershipError, refuse_foreign
from components.commands.same_cluster import same_cluster
from components.kind.processes import CommandError
from components.knative.installed import looked_at
from tests.unit.asked import CONTEXT, SPACE, UID, TableCluster, named
from tests.unit.http_server import Answer, serving
from tests.unit.small_release import manifest
from tests.unit.test_status_refusals import kubeconfig

KNATIVE_API = "serving.knative.dev/v1"


@pytest.mark.parametrize(
    ("api", "kind", "namespace", "path", "right"),
    [
        ("v1", "Namespace", "", "/api/v1/namespaces", "namespaces"),
        ("v1", "ConfigMap", "n", "/api/v1/namespaces/n/configmaps", "configmaps in n"),
        ("apps/v1", "Deployment", "n", "/apis/apps/v1/namespaces/n/deployments", "deployments.apps in n"),
        (
            KNATIVE_API,
            "Service",
            "n",
            f"/apis/{KNATIVE_API}/namespaces/n/services",
            "services.serving.knative.dev in n",
        ),
        ("scheduling.k8s.io/v1", "PriorityClass", "", "/apis/scheduling.k8s.io/v1/priorityclasses", None),
    ],
)
def test_an_object_is_asked_for_where_the_api_has_it(
    api: str, kind: str, namespace: str, path: str, right: str | None
) -> None:
    assert collection_of(manifest(kind, "a", namespace, api)) == path, "it would always seem not to be there"
    assert is_collection(path) and not is_collection(f"{path}/a")
    if right:
        plural, _, space = right.partition(" in ")
        assert question(path) == f"list {right}", "a person looks for a right that does not exist"
        assert question(f"{path}/a") == f"get {plural} a" + (f" in {space}" if space else "")


def test_what_is_inside_of_a_claimed_namespace_is_not_asked_for_by_itself() -> None:
    space, inside, beside = manifest("Namespace", "n"), manifest("ConfigMap", "c", "n"), manifest("ConfigMap", "c", "m")
    assert outside([space, inside, beside]) == [space, beside], "a hundred questions more, or one too few"


def test_only_what_is_there_comes_back() -> None:
    asked = TableCluster({"/api/v1/namespaces/a": named("Namespace", "a")})
    ours, other = manifest("Namespace", "a"), manifest("Namespace", "b")
    assert asked.there([ours, other]) == [(ours, {"name": "a"})]


def test_objects_of_one_kind_are_one_question() -> None:
    asked = TableCluster()
    claims = [manifest("ConfigMap", f"c{number}", "n") for number in range(500)]
    asked.look_ahead(collection_of(claim) for claim in claims)
    asked.there(claims)
    assert asked.paths == ["/api/v1/namespaces/n/configmaps"], "a large stack asks for minutes, at every preview"


def test_volumes_of_releases_are_told_by_their_label() -> None:
    path = "/api/v1/namespaces/default/persistentvolumeclaims"
    volumes = {f"{path}/{name}": named("PersistentVolumeClaim", name) for name in ("data-a", "data-c", "bare")}
    volumes[f"{path}/data-a"]["metadata"]["labels"] = {"app.kubernetes.io/instance": "a"}
    volumes[f"{path}/data-c"]["metadata"]["labels"] = {"app.kubernetes.io/instance": "c"}
    found = TableCluster(volumes).volumes("default", ["a", "b"])
    assert [(claim["kind"], metadata["name"]) for claim, metadata in found] == [("PersistentVolumeClaim", "data-a")], (
        "others' volumes are blamed"
    )


def test_all_that_may_not_be_read_is_told_at_once() -> None:
    asked = TableCluster(refused=["/apis/apps/v1", "/api/v1/namespaces/knative-serving/configmaps"])
    with pytest.raises(RefusedError) as raised:
        asked.look_ahead([*looked_at(), "/api/v1/namespaces/kube-system"])
    message = str(raised.value)
    for part in (
        "  - get configmaps config-network in knative-serving\n",
        "  - get deployments.apps controller in knative-serving\n",
        "Nothing was changed",
        "docs/rights.md",
    ):
        assert part in message, f"{part} is not told"
    assert "namespaces kube-system" not in message, "a right that the user has is told as missing"


def found(kind: str, name: str, *, api: str = "v1", **metadata: Any) -> Found:
    """What a stack would make, and the metadata that the cluster has there."""
    return manifest(kind, name, "default", api), {"name": name, **metadata}


def test_what_carries_the_stacks_own_word_is_its_own() -> None:
    mine = found("Namespace", "knative-serving", annotations={OWNER_ANNOTATION: "word"})
    refuse_foreign(CONTEXT, "default", [mine], "word")


def test_everything_foreign_is_told_at_once_with_the_ways_out() -> None:
    others = [
        found("Namespace", "knative-serving"),
        found("Service", "frontend", api=KNATIVE_API, annotations={OWNER_ANNOTATION: "another word"}),
        found("Service", "canary-frontend"),
        found("PersistentVolumeClaim", "data-kafka-0"),
    ]
    with pytest.raises(OwnershipError) as raised:
        refuse_foreign(CONTEXT, "default", others, "word")
    message = str(raised.value)
    for part in (
        "- Namespace knative-serving\n",
        "- Knative Service frontend\n",
        "- Kubernetes Service canary-frontend\n",
        "knative.install' false",
        "cluster.context",
        f"kubectl --context {CONTEXT} delete pvc --namespace default data-kafka-0",
        f"kubectl --context {CONTEXT} describe services --namespace default canary-frontend",
        "nothing was changed",
    ):
        assert part in message, f"{part} is not told"


def test_a_way_out_that_does_not_help_is_not_told() -> None:
    with pytest.raises(OwnershipError) as raised:
        refuse_foreign(CONTEXT, "default", [found("Service", "frontend", api=KNATIVE_API)], "word")
    for way in ("knative.install", "delete pvc", "describe services"):
        assert way not in str(raised.value)


@pytest.mark.parametrize(
    ("owners", "ours"),
    [
        ([{"kind": "Route", "name": "frontend", "controller": True}], True),
        ([{"kind": "Route", "name": "canary-frontend", "controller": True}], False),  # of another team's own service
        ([], False),
    ],
)
def test_what_knative_made_for_the_stacks_services_is_not_taken_for_somebody_elses(
    owners: list[dict[str, Any]], ours: bool
) -> None:
    claim, metadata = found("Service", "canary-frontend", ownerReferences=owners)
    claim["metadata"]["ownerReferences"] = [{"kind": "Route", "name": "frontend"}]
    if ours:
        refuse_foreign(CONTEXT, "default", [(claim, metadata)], "word")
    else:
        with pytest.raises(OwnershipError, match="Kubernetes Service canary-frontend"):
            refuse_foreign(CONTEXT, "default", [(claim, metadata)], "word")


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


def test_a_destroy_that_may_not_look_is_not_told_to_forget_the_cluster(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    with serving(lambda *_: (403, "{}")) as port:
        file.write_text(kubeconfig(f"http://127.0.0.1:{port}"))
        with pytest.raises(CommandError) as raised:
            same_cluster("c", str(file), UID, "staging")
    assert "get namespaces kube-system" in str(raised.value), "the missing right is not told"
    assert "stack rm" not in str(raised.value), "a living cluster would be forgotten with all that is in it"

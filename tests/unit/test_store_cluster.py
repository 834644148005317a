"""A living store as its cluster has it: which pods use its password, and how its volumes grow."""

from __future__ import annotations

import base64
from types import SimpleNamespace as Object
from typing import Any
from unittest import mock

import kubernetes
import pytest

from components.stores import cluster as store_cluster
from components.stores.cluster import LivingStore, StoreError


def store(**apis: Any) -> LivingStore:
    """The living PostgreSQL of a cluster whose APIs are mocked: core, apps, storage."""
    with (
        mock.patch.object(store_cluster, "cluster_client"),
        mock.patch.multiple(
            "kubernetes.client",
            **{
                f"{name}V1Api": mock.Mock(return_value=apis.get(name.lower(), mock.Mock()))
                for name in ("Core", "Apps", "Storage")
            },
        ),
    ):
        return LivingStore("a kubeconfig", "default", "postgresql")


def pod(name: str, *secrets: str, phase: str = "Running", owner: str = "StatefulSet") -> Object:
    """A pod with variables from Secrets, one from a field, and one in plain text."""
    sources = [Object(secret_key_ref=Object(name=each)) for each in secrets]
    variables = [Object(value_from=each) for each in (*sources, Object(secret_key_ref=None), None)]
    return Object(
        metadata=Object(name=name, owner_references=[Object(kind=owner)]),
        status=Object(phase=phase),
        spec=Object(containers=[Object(env=None), Object(env=variables)]),
    )


def test_the_pods_that_read_the_secret_start_again_and_no_others() -> None:
    core = mock.Mock()
    core.list_namespaced_pod.return_value.items = [
        pod("user", "redis", "postgresql"),
        pod("other", "redis"),
        pod("none"),
    ]
    assert store(core=core).restart_users("postgresql") == ["user"]
    assert core.list_namespaced_pod.call_args.kwargs["label_selector"] == "serving.knative.dev/revision", (
        "pods of somebody else are deleted, or the database's own"
    )
    assert [call.args for call in core.delete_namespaced_pod.call_args_list] == [("user", "default")]


def test_a_command_runs_in_the_pods_of_the_server_alone() -> None:
    core = mock.Mock()
    core.list_namespaced_pod.return_value.items = [pod("postgresql-0"), pod("done", phase="Succeeded", owner="Job")]
    with mock.patch.object(store_cluster, "run_in_pod", return_value=None) as run:
        store(core=core).run("script", ["line"])
    assert [call.args[1:] for call in run.call_args_list] == [
        ("default", "postgresql-0", "postgresql", "script", ["line"])
    ]


def test_a_command_that_fails_and_a_server_that_does_not_run_are_errors() -> None:
    core = mock.Mock()
    core.list_namespaced_pod.return_value.items = [pod("postgresql-0")]
    with mock.patch.object(store_cluster, "run_in_pod", return_value="no"), pytest.raises(StoreError, match="0: no"):
        store(core=core).run("script", [])
    core.list_namespaced_pod.return_value.items = [pod("postgresql-0", phase="Pending")]
    with pytest.raises(StoreError, match="no pod of postgresql runs"):
        store(core=core).run("script", [])


def test_a_password_is_read_where_there_is_one() -> None:
    core = mock.Mock()
    core.read_namespaced_secret.return_value.data = {"postgres-password": base64.b64encode(b"word").decode()}
    assert store(core=core).password("postgresql", "postgres-password") == "word"
    assert store(core=core).password("postgresql", "another") is None
    core.read_namespaced_secret.side_effect = kubernetes.client.ApiException(status=404)
    assert store(core=core).password("postgresql", "postgres-password") is None, "the first `up` ends here"
    core.read_namespaced_secret.side_effect = kubernetes.client.ApiException(status=403)
    with pytest.raises(kubernetes.client.ApiException):
        store(core=core).password("postgresql", "postgres-password")


def test_a_volume_is_known_by_its_template_and_its_claim() -> None:
    template = Object(
        metadata=Object(name="data"),
        spec=Object(resources=Object(requests={"storage": "1Gi"}), storage_class_name=None),
    )
    found = Object(metadata=Object(name="postgresql"), spec=Object(volume_claim_templates=[template], replicas=1))
    apps, core, classes = mock.Mock(), mock.Mock(), mock.Mock()
    apps.list_namespaced_stateful_set.return_value.items = [found]
    core.read_namespaced_persistent_volume_claim.return_value.spec.storage_class_name = "fast"
    classes.read_storage_class.return_value.allow_volume_expansion = True
    living = store(apps=apps, core=core, storage=classes)
    (volume,) = living.volumes()
    assert (volume.claims, volume.size, volume.template_class) == (("data-postgresql-0",), "1Gi", None)
    assert (volume.storage_class, volume.expandable) == ("fast", True), "the class of the claim decides"
    living.grow(volume, "2Gi")
    patch = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    assert core.patch_namespaced_persistent_volume_claim.call_args.args == ("data-postgresql-0", "default", patch)
    deletion = apps.delete_namespaced_stateful_set.call_args
    assert deletion.args == ("postgresql", "default") and deletion.kwargs["propagation_policy"] == "Orphan", (
        "the server is stopped"
    )

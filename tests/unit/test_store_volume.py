"""A store's volume that is to be another one: grown where its class allows that, else refused in the preview."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from unittest import mock

import kubernetes
import pulumi
import pytest

from components.stores import cluster as store_cluster
from components.stores import volume as store_volume
from components.stores.cluster import LivingVolume, in_bytes
from components.stores.volume import WantedVolume

KUBECONFIG = json.dumps({"current-context": "kind-dev"})


def volume(size: str = "1Gi", *, expandable: bool = False, template_class: str | None = None) -> LivingVolume:
    """The volume of the stand-in's database."""
    return LivingVolume(
        stateful_set="postgresql",
        claims=("data-postgresql-0",),
        size=size,
        size_in_bytes=in_bytes(size),
        template_class=template_class,
        storage_class="standard",
        expandable=expandable,
    )


def of(size: str, storage_class: str | None = None) -> WantedVolume:
    """What the settings say."""
    return WantedVolume(size=size, storage_class=storage_class)


def run(
    living: list[LivingVolume] | Exception,
    wanted: WantedVolume,
    *,
    had: dict[str, str] | None = None,
    preview: bool = False,
    ours: bool = True,
    kubeconfig: str | None = KUBECONFIG,
) -> tuple[mock.Mock, list[str], str]:
    """Run the hook: the store that it asked, what was logged, and what it ended with."""
    told: list[str] = []
    store = mock.Mock()
    store.volumes.side_effect = [living] if isinstance(living, list) else living
    config = mock.Mock(future=mock.AsyncMock(return_value=kubeconfig))
    with (
        mock.patch("pulumi.ResourceHook", mock.Mock()) as made,
        mock.patch("pulumi.runtime.is_dry_run", return_value=preview),
        mock.patch("pulumi.log.info", told.append),
        mock.patch.object(store_cluster, "LivingStore", return_value=store),
    ):
        store_volume.hook("postgresql", "default", config, wanted, ours=ours)
        _, fit, options = made.call_args.args
        assert options.on_dry_run, "a preview promises what the `up` cannot do"
        values = {"primary": {"persistence": had or {"size": "1Gi"}}}
        try:
            asyncio.run(fit(mock.Mock(spec=pulumi.ResourceHookArgs, old_inputs={"values": values})))
        except pulumi.RunError as error:
            return store, told, str(error)
    return store, told, ""


@pytest.mark.parametrize("preview", [True, False])
def test_a_volume_that_stays_is_no_matter(preview: bool) -> None:
    store, told, error = run([volume("1024Mi")], of("1Gi"), preview=preview)
    assert not error and not told and not store.grow.called, "the same size in other words"


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("living", "size", "storage_class", "why"),
    [
        (volume(), "2Gi", None, "standard, which grows no volumes (allowVolumeExpansion), and 2Gi is more"),
        (volume(expandable=True), "512Mi", None, "512Mi is less"),
        (volume(expandable=True), "2Gi", "fast", "of the storage class standard, and stays in it"),
        (volume(template_class="standard"), "1Gi", "fast", "stays in it"),
    ],
)
def test_what_a_volume_cannot_become_is_refused_with_the_ways_out(
    living: LivingVolume, size: str, storage_class: str | None, why: str, preview: bool
) -> None:
    store, _, error = run([living], of(size, storage_class), preview=preview)
    assert why in error, "Kubernetes' own words come minutes later"
    assert not store.grow.called
    assert "pulumi config set --path 'knative-releases:postgresql.size' 1Gi" in error
    assert "pulumi config rm --path 'knative-releases:postgresql.storageClass'" in error
    deletion = (
        "delete statefulset,pvc --namespace default --selector app.kubernetes.io/instance=postgresql && pulumi up"
    )
    assert f"docker exec dev-control-plane kubectl --kubeconfig /etc/kubernetes/admin.conf {deletion}" in error


def test_a_class_that_is_taken_back_is_a_change_too() -> None:
    fast = {"size": "1Gi", "storageClass": "fast"}
    _, _, error = run([volume(template_class="fast")], of("1Gi", None), had=fast)
    assert "stays in it" in error and "postgresql.storageClass' fast" in error, "the way back is another one"
    assert not run([volume(template_class="fast")], of("1Gi", "fast"), had=fast)[2], "nothing was changed"
    assert not run([volume(template_class="standard")], of("1Gi", None))[2], "a class that the chart chose is no change"


def test_on_an_existing_cluster_the_command_names_its_context() -> None:
    _, _, error = run([volume()], of("2Gi"), ours=False, kubeconfig=json.dumps({"current-context": "staging"}))
    assert "is lost: kubectl --context staging delete statefulset,pvc" in error


def test_a_volume_grows_where_its_class_allows_it() -> None:
    living = volume(expandable=True)
    store, told, error = run([living], of("2Gi"))
    assert not error and store.grow.call_args.args == (living, "2Gi")
    assert "grows from 1Gi to 2Gi" in told[0], "it grows without a word"
    store, told, _ = run([living], of("2Gi"), preview=True)
    assert not store.grow.called and "grows from 1Gi to 2Gi" in told[0], "a preview changes the cluster"


@pytest.mark.parametrize("preview", [True, False])
def test_a_store_whose_stateful_set_was_deleted_is_made_anew(preview: bool) -> None:
    assert not run([], of("2Gi", "fast"), preview=preview)[2], "the way out that was told is closed"


def test_a_cluster_that_is_not_made_yet_is_not_asked() -> None:
    store, _, error = run([volume()], of("2Gi"), kubeconfig=None, preview=True)
    assert not error and not store.volumes.called


def test_a_cluster_that_does_not_answer_ends_the_up_and_no_preview() -> None:
    silent = kubernetes.client.ApiException(status=403, reason="Forbidden")
    assert not run(silent, of("2Gi"), preview=True)[2], "a preview with the right to read something else is refused"
    assert "cannot be looked at" in run(silent, of("2Gi"))[2]


def test_quantities_are_compared_as_numbers() -> None:
    assert in_bytes("1Gi") == in_bytes("1024Mi") == Decimal(2**30) and in_bytes("1G") < in_bytes("1Gi")

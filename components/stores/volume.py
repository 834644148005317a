"""The size and the storage class of a store that lives. Kubernetes lets neither be changed in a StatefulSet.

A volume grows where its class allows that. All else is refused in the preview: it would end in Helm's words in the
middle of an `up`, and in each later one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
import yaml

from components.secret import revealed

if TYPE_CHECKING:
    from decimal import Decimal

    from components.stores.cluster import LivingVolume

RELEASE_LABEL = "app.kubernetes.io/instance"
"""Label of all that a Helm release made, volume claims included."""


@dataclass(frozen=True, kw_only=True)
class WantedVolume:
    """What the settings say of a store's volume."""

    size: str
    """A Kubernetes quantity."""
    storage_class: str | None
    """None: the chart's, which is the cluster's default."""


def hook(
    release: str, namespace: str, kubeconfig: pulumi.Output[str], wanted: WantedVolume, *, ours: bool
) -> pulumi.ResourceHook:
    """A hook before a release's update that grows its volumes, or refuses what they cannot become.

    ours: whether the cluster is the stack's own, which no context of a kubeconfig means.
    """

    async def fit(args: pulumi.ResourceHookArgs) -> None:
        config = await kubeconfig.future()
        if config is None:
            return  # a preview in which the cluster is made
        from components.stores.cluster import FAILURES, LivingStore, in_bytes  # noqa: PLC0415 - slow to import

        had = next(_found("persistence", await revealed((args.old_inputs or {}).get("values"))), {})
        store, dry = LivingStore(str(config), namespace, release), pulumi.runtime.is_dry_run()
        try:
            living = list(store.volumes())
        except FAILURES as error:
            if dry:  # the `up` asks again
                return
            raise pulumi.RunError(f"the volume of {release} cannot be looked at: {error}") from None
        for volume in living:
            other_class = had.get("storageClass") != wanted.storage_class != volume.template_class
            why = impossible(volume, wanted.size, in_bytes(wanted.size), other_class=other_class)
            if why:
                context = yaml.safe_load(str(config))["current-context"]
                raise pulumi.RunError(refusal(release, why, had, kubectl(context, ours=ours), namespace))
            if volume.size_in_bytes == in_bytes(wanted.size):
                continue
            pulumi.log.info(f"the volume of {release} grows from {volume.size} to {wanted.size}")
            try:
                if not dry:
                    store.grow(volume, wanted.size)
            except FAILURES as error:
                raise pulumi.RunError(f"the volume of {release} did not grow: {error}. Go on with: pulumi up") from None

    return pulumi.ResourceHook(f"{namespace}-{release}-volume", fit, pulumi.ResourceHookOptions(on_dry_run=True))


def impossible(living: LivingVolume, size: str, in_bytes: Decimal, *, other_class: bool) -> str | None:
    """Why a volume that lives cannot become one of another size or class; None where it can. Pure."""
    asked = f"the volume of {living.stateful_set} has {living.size} of the storage class {living.storage_class}"
    if other_class:
        return f"{asked}, and stays in it"
    if in_bytes < living.size_in_bytes:
        return f"{asked}, and {size} is less: Kubernetes takes nothing away from a volume"
    if in_bytes > living.size_in_bytes and not living.expandable:
        return f"{asked}, which grows no volumes (allowVolumeExpansion), and {size} is more"
    return None


def refusal(release: str, why: str, had: Mapping[str, Any], kubectl: str, namespace: str) -> str:
    """What is told of a volume that cannot become what the settings say, with the ways out. Pure.

    had: the chart's values of the volume, as it was made with.
    """
    back = [
        _set_back(f"{release}.size", had.get("size")),
        _set_back(f"{release}.storageClass", had.get("storageClass")),
    ]
    deletion = f"{kubectl} delete statefulset,pvc --namespace {namespace} --selector {RELEASE_LABEL}={release}"
    return (
        f"{why}. Nothing was changed\n"
        f"Keep the volume: {' && '.join(back)}\n"
        f"Or begin with an empty one; all data of {release} is lost: {deletion} && pulumi up"
    )


def kubectl(context: str, *, ours: bool) -> str:
    """The kubectl that reaches a cluster: a kind cluster that the program made has one in its node. Pure."""
    if ours:
        return (
            f"docker exec {context.removeprefix('kind-')}-control-plane kubectl --kubeconfig /etc/kubernetes/admin.conf"
        )
    return f"kubectl --context {context}"


def _set_back(path: str, value: str | None) -> str:
    key = f"'knative-releases:{path}'"
    return f"pulumi config set --path {key} {value}" if value else f"pulumi config rm --path {key}"


def _found(key: str, values: Any) -> Iterator[Mapping[str, Any]]:
    """The mappings of a key, wherever in nested values."""
    for name, value in values.items() if isinstance(values, Mapping) else ():
        if name == key:
            yield value
        else:
            yield from _found(key, value)

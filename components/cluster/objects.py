"""Kubernetes objects as Pulumi resources, registered one by one, so that a preview lists each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.manifests import Manifest, containers, key
from components.sources.archives import holds
from components.sources.downloads import READY_SECONDS

OWNER_ANNOTATION = "knative-releases/owner"
"""Says which stack made an object of a cluster that is not the program's own."""


@dataclass(frozen=True, kw_only=True)
class LoadedArchive:
    """Images that come into the cluster from an archive, and the resource that is done when they are there."""

    images: frozenset[str]
    loaded: pulumi.Resource


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The cluster that something is put into, as far as its resources have to know."""

    archives: Sequence[LoadedArchive] = ()
    deleted_with: pulumi.Resource | None = None
    """Its deletion takes everything inside along; None on a cluster that stays."""
    creation: pulumi.Output[str] | None = None
    """Names the cluster's creation: what was put into another one is made again, in this one."""
    kubeconfig: pulumi.Output[str] | None = None
    """For asking the cluster why something failed."""
    owner: pulumi.Output[str] | None = None
    """On a cluster that is not the program's own: the stack's word, written on every object that it makes there."""

    def loads(self, images: Iterable[str]) -> list[pulumi.Resource]:
        """What brings these images into the cluster; nothing for those that the cluster pulls. What starts pods of
        them depends on it."""
        wanted = list(images)
        return [a.loaded for a in self.archives if any(holds(a.images, image) for image in wanted)]

    def options(
        self, parent: pulumi.Resource, depends_on: Iterable[pulumi.Resource], images: Iterable[str]
    ) -> pulumi.ResourceOptions:
        """Of a resource that is put into the cluster, and starts pods of the images."""
        return pulumi.ResourceOptions(
            parent=parent,
            depends_on=[*depends_on, *self.loads(images)],
            deleted_with=self.deleted_with,
            # The provider's change alone would do, but for an update that ends early: the engine compares the provider
            # with its last state, which is the new one by then, and takes what it had not come to for unchanged.
            replacement_trigger=self.creation,
        )


class KubernetesObject(pulumi.CustomResource):
    """One object of any kind, applied as its manifest says (the provider awaits it by its kind)."""

    def __init__(self, name: str, manifest: Manifest, opts: pulumi.ResourceOptions | None = None) -> None:
        """
        name: logical name, unique among resources of the manifest's kind.
        manifest: the whole object; its values may be outputs.
        """
        api_version = manifest["apiVersion"]
        group = api_version if "/" in api_version else f"core/{api_version}"
        # Named without a value: an output of the object as the cluster has it.
        super().__init__(f"kubernetes:{group}:{manifest['kind']}", name, {"status": None, **manifest}, opts)

    @property
    def metadata(self) -> pulumi.Output[Any]:
        """The object's metadata as the cluster has them."""
        found: pulumi.Output[Any] = pulumi.get(self, "metadata")
        return found

    @property
    def status(self) -> pulumi.Output[Any]:
        """The object's status when it was last applied or refreshed."""
        found: pulumi.Output[Any] = pulumi.get(self, "status")
        return found


def register(
    manifests: Iterable[Manifest],
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
    placement: Placement,
    more: pulumi.ResourceOptions | None = None,
) -> list[KubernetesObject]:
    """Register manifests as children of a component; logical names are `<namespace>/<name>` or `<name>`.

    A workload waits for the archives that hold its images, too. more: further options of each.
    """

    def opts(manifest: Manifest) -> pulumi.ResourceOptions:
        images = [container["image"] for container in containers(manifest)]
        placed = placement.options(parent, depends_on, images)
        if images:
            placed.custom_timeouts = pulumi.CustomTimeouts(create=f"{READY_SECONDS}s", update=f"{READY_SECONDS}s")
        return pulumi.ResourceOptions.merge(placed, more)

    return [KubernetesObject("/".join(filter(None, key(m)[1:])), marked(m, placement), opts(m)) for m in manifests]


def marked(manifest: Manifest, placement: Placement) -> Manifest:
    """The object as it is for a cluster that stays, with its owner's word on it; elsewhere as it was."""
    if placement.owner is None:
        return manifest
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), OWNER_ANNOTATION: placement.owner}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}

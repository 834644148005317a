"""Kubernetes objects as Pulumi resources, registered one by one, so that a preview lists each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pulumi

from components.manifests import Manifest, key


@dataclass(frozen=True, kw_only=True)
class Placement:
    """The cluster that something is put into, as far as its resources have to know."""

    images_loaded: Sequence[pulumi.Resource] = ()
    """Done when the cluster has the images of `sources.archives`: what starts pods depends on these."""
    deleted_with: pulumi.Resource | None = None
    kubeconfig: pulumi.Output[str] | None = None
    """For asking the cluster why something failed."""
    """Its deletion takes everything inside along; None on a cluster that stays."""


class KubernetesObject(pulumi.CustomResource):
    """One object of any kind, applied as its manifest says (the provider awaits it by its kind)."""

    def __init__(self, name: str, manifest: Manifest, opts: pulumi.ResourceOptions | None = None) -> None:
        """
        name: logical name, unique among resources of the manifest's kind.
        manifest: the whole object; its values may be outputs.
        """
        api_version = manifest["apiVersion"]
        group = api_version if "/" in api_version else f"core/{api_version}"
        super().__init__(f"kubernetes:{group}:{manifest['kind']}", name, dict(manifest), opts)


def register(
    manifests: Iterable[Manifest], parent: pulumi.Resource, depends_on: Sequence[pulumi.Resource], placement: Placement
) -> list[KubernetesObject]:
    """Register manifests as children of a component; logical names are `<namespace>/<name>` or `<name>`."""
    opts = pulumi.ResourceOptions(parent=parent, depends_on=depends_on, deleted_with=placement.deleted_with)
    return [KubernetesObject("/".join(filter(None, key(manifest)[1:])), manifest, opts) for manifest in manifests]

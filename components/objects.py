"""Kubernetes objects as Pulumi resources, registered one by one, so that a preview lists each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pulumi

from components.manifests import Manifest, key


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
    manifests: Iterable[Manifest], parent: pulumi.Resource, depends_on: Sequence[pulumi.Resource],
    deleted_with: pulumi.Resource | None,
) -> list[KubernetesObject]:
    """Register manifests as children of a component; logical names are `<namespace>/<name>` or `<name>`."""
    opts = pulumi.ResourceOptions(parent=parent, depends_on=depends_on, deleted_with=deleted_with)
    return [KubernetesObject("/".join(filter(None, key(manifest)[1:])), manifest, opts) for manifest in manifests]

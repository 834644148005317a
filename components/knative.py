"""Knative Serving: its definitions, its configuration, its control plane, and last its webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.images import ImageMap
from components.manifests import (
    SMALL,
    Manifest,
    Transform,
    key,
    merge_config_map,
    own,
    redirect_images,
    transformed,
    without_webhook_rules,
)
from components.objects import KubernetesObject, Placement, register

NAMESPACE = "knative-serving"
KEPT_REVISIONS = 3
"""Revisions of one Configuration that stay after they left the traffic."""
_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


@dataclass(frozen=True, kw_only=True)
class KnativeServingArgs:
    """Which release, and with what configuration."""

    definitions: Sequence[Manifest]
    """Objects of the release's serving-crds.yaml."""
    core: Sequence[Manifest]
    """Objects of the release's serving-core.yaml."""
    images: ImageMap
    small: bool
    """Whether the small profile is applied: lower requests, quick starts, no documentation inside the objects."""
    configuration: Mapping[str, Mapping[str, str]]
    """Entries set in the ConfigMaps of the release, by ConfigMap name (`config-network`, `config-domain`, …)."""
    placement: Placement = Placement()


class KnativeServing(pulumi.ComponentResource):
    """Knative Serving from its release manifests. Ready when its webhooks answer."""

    namespaces: Sequence[pulumi.Resource]
    """The namespace knative-serving."""
    definitions: Sequence[pulumi.Resource]
    """The definitions, and before them accounts and ConfigMaps: what controllers need to start."""

    def __init__(self, name: str, args: KnativeServingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("knative-releases:index:KnativeServing", name, None, opts)
        self._placement = args.placement
        applied = transforms(args)
        groups = grouped(transformed(args.definitions, *applied), transformed(args.core, *applied))
        self.namespaces = self._register(groups["namespaces"])
        basis = self._register(groups["basis"], self.namespaces)
        # The engine writes its whole state twice for each resource, and half of the state's bytes are definitions:
        # coming after what does not need them, they are written half as often, while images are still being loaded.
        child = pulumi.ResourceOptions(parent=self, depends_on=basis)
        crds = KnativeDefinitions(f"{name}-crds", groups["definitions"], args.placement, child).objects
        self.definitions = crds
        images = self._register(groups["images"], crds)
        plane = self._register(groups["workloads"], [*crds, *images])
        # Their rules make every write of Knative's objects, and of its ConfigMaps, ask pods that must be there by then;
        # and destroyed in the reverse order they are gone before those pods are.
        # The queue-proxy's image is named by no workload here, but is in the pods of all services.
        queue = args.placement.loads(image["spec"]["image"] for image in groups["images"])
        self._register(groups["webhooks"], [*plane, *queue])
        self.register_outputs({})

    def _register(
        self, manifests: Sequence[Manifest], depends_on: Sequence[pulumi.Resource] = ()
    ) -> list[KubernetesObject]:
        return register(manifests, self, depends_on, self._placement)


class KnativeDefinitions(pulumi.ComponentResource):
    """The CustomResourceDefinitions of Knative Serving."""

    objects: Sequence[pulumi.Resource]
    """The definitions."""

    def __init__(
        self,
        name: str,
        manifests: Sequence[Manifest],
        placement: Placement,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("knative-releases:index:KnativeDefinitions", name, None, opts)
        self.objects = register(manifests, self, [], placement)
        self.register_outputs({})


def configuration(ingress_class: str, domain: str) -> dict[str, dict[str, str]]:
    """What the tutorial patches by hand: the ingress, the domain, and the features that its releases need; and which
    old revisions are kept. Pure.
    """
    return {
        "config-network": {"ingress-class": ingress_class},
        "config-domain": {domain: ""},
        "config-features": {"tag-header-based-routing": "Enabled", "kubernetes.podspec-fieldref": "Enabled"},
        "config-gc": collection(KEPT_REVISIONS),
    }


def collection(kept: int) -> dict[str, str]:
    """The collector's rule: of each Configuration, the `kept` revisions that left the traffic last stay. Pure.

    By number alone: ages are looked at only when a revision or Configuration changes, so they would promise a time at
    which nothing happens.
    """
    return {
        "retain-since-create-time": "disabled",
        "retain-since-last-active-time": "disabled",
        "min-non-active-revisions": str(kept),
        "max-non-active-revisions": str(kept),
    }


def transforms(args: KnativeServingArgs) -> list[Transform]:
    """What happens to each object of the release, in this order. Pure."""
    patches = [merge_config_map(NAMESPACE, name, data) for name, data in args.configuration.items()]
    profile = SMALL if args.small else ()
    return [*patches, redirect_images(args.images.redirected), *profile, without_webhook_rules, own]


def grouped(definitions: Sequence[Manifest], core: Sequence[Manifest]) -> dict[str, list[Manifest]]:
    """The release's objects in the order in which they can be applied, each once. Pure.

    The core manifest holds the definitions again; they are taken from their own file alone.
    """
    defined = {key(manifest) for manifest in definitions}
    groups: dict[str, list[Manifest]] = {
        name: [] for name in ("definitions", "namespaces", "basis", "images", "workloads", "webhooks")
    }
    groups["definitions"] = list(definitions)
    for manifest in core:
        kind = manifest["kind"]
        if key(manifest) in defined:
            continue
        if kind == "Namespace":
            groups["namespaces"].append(manifest)
        elif kind == "Image":
            groups["images"].append(manifest)
        elif kind in _LAST:
            groups["webhooks"].append(manifest)
        elif kind == "Deployment":
            groups["workloads"].append(manifest)
        else:
            groups["basis"].append(manifest)
    return groups

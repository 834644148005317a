"""Knative Serving: its definitions, its configuration, its control plane, and last its webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.cluster.network import NOTHING, Network
from components.cluster.objects import KubernetesObject, Placement, register
from components.manifests import (
    SMALL,
    Manifest,
    Transform,
    key,
    merge_config_map,
    own,
    redirect_images,
    transformed,
    with_replicas,
    without_webhook_rules,
)
from components.sources.images import ImageMap
from components.sources.knative_versions import VERSION_LABEL, refused_change

NAMESPACE = "knative-serving"
ACTIVATOR = "activator"
TAG_FEATURE = "tag-header-based-routing"
"""Feature of Knative, in config-features, that the releases need: tags by header."""
FEATURES = (TAG_FEATURE, "kubernetes.podspec-fieldref")
"""Features that the program turns on: also that pods know their own names."""
REQUEST_METRICS = {
    "metrics.request-metrics-backend-destination": "prometheus",
    "request-metrics-protocol": "prometheus",
}
"""Queue-proxies tell by which way each request came: the key of releases up to 1.18, which have it by default, and that
of later ones, which do not.
"""
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
    configuration: Mapping[str, pulumi.Input[Mapping[str, str]]]
    """Entries set in the ConfigMaps of the release, by ConfigMap name (`config-network`, `config-domain`, …)."""
    activator_replicas: int = 1
    network: Network = NOTHING
    """Of the controller, which asks image registries."""
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
        core = with_replicas(args.core, NAMESPACE, ACTIVATOR, args.activator_replicas)
        groups = grouped(transformed(args.definitions, *applied), transformed(core, *applied))
        groups["basis"] += [own(each) for each in args.network.objects()]
        # On the namespace, because everything else of Knative comes after it.
        hook = pulumi.ResourceHook(f"{name}-version", refuse_other_minor, pulumi.ResourceHookOptions(on_dry_run=True))
        version = pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_update=[hook]))
        self.namespaces = register(groups["namespaces"], self, [], args.placement, version)
        basis = self._register(groups["basis"], self.namespaces)
        # The engine writes its whole state twice for each resource, and half of the state's bytes are definitions:
        # coming after what does not need them, they are written half as often, while images are still being loaded.
        child = pulumi.ResourceOptions(parent=self, depends_on=basis)
        crds = KnativeDefinitions(f"{name}-crds", groups["definitions"], args.placement, child).objects
        self.definitions = crds
        own_kinds = self._register(groups["own kinds"], crds)
        plane = self._register(groups["workloads"], [*crds, *own_kinds])
        # Their rules make every write of Knative's objects, and of its ConfigMaps, ask pods that must be there by then;
        # and destroyed in the reverse order they are gone before those pods are.
        # The queue-proxy's image is named by no workload here, but is in the pods of all services.
        queue = args.placement.loads(each["spec"]["image"] for each in groups["own kinds"] if each["kind"] == "Image")
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


def configuration(ingress_class: str, domain: pulumi.Input[str]) -> dict[str, pulumi.Input[Mapping[str, str]]]:
    """What the tutorial patches by hand: the ingress, the domain, and the features that its releases need; and which
    old revisions are kept. Pure.
    """
    return {
        "config-network": {"ingress-class": ingress_class},
        "config-domain": {domain: ""} if isinstance(domain, str) else _only_domain(domain),
        "config-features": dict.fromkeys(FEATURES, "Enabled"),
        "config-gc": collection(KEPT_REVISIONS),
        "config-observability": dict(REQUEST_METRICS),
    }


def _only_domain(domain: pulumi.Input[str]) -> pulumi.Output[Mapping[str, str]]:
    return pulumi.Output.from_input(domain).apply(lambda name: {name: ""})


def refuse_other_minor(args: pulumi.ResourceHookArgs) -> None:
    """Refuse an update of the namespace that is part of a change between minor releases. Raises RunError."""
    before, after = (
        (inputs or {}).get("metadata", {}).get("labels", {}).get(VERSION_LABEL, "")
        for inputs in (args.old_inputs, args.new_inputs)
    )
    if refused := refused_change(before, after):
        raise pulumi.RunError(refused)


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
    profile = SMALL if args.small else ()
    # Last, because what is merged may be an output, into which nothing can look.
    patches = [merge_config_map(NAMESPACE, name, data) for name, data in args.configuration.items()]
    network = args.network.for_controller
    return [redirect_images(args.images.redirected), *profile, without_webhook_rules, network, *patches, own]


def grouped(definitions: Sequence[Manifest], core: Sequence[Manifest]) -> dict[str, list[Manifest]]:
    """The release's objects in the order in which they can be applied, each once. Pure.

    The core manifest holds the definitions again; they are taken from their own file alone.
    """
    defined = {key(manifest) for manifest in definitions}
    groups: dict[str, list[Manifest]] = {
        name: [] for name in ("definitions", "namespaces", "basis", "own kinds", "workloads", "webhooks")
    }
    groups["definitions"] = list(definitions)
    for manifest in core:
        kind = manifest["kind"]
        if key(manifest) in defined:
            continue
        if kind == "Namespace":
            groups["namespaces"].append(manifest)
        elif manifest["apiVersion"].partition("/")[0].endswith(".knative.dev"):
            groups["own kinds"].append(manifest)
        elif kind in _LAST:
            groups["webhooks"].append(manifest)
        elif kind == "Deployment":
            groups["workloads"].append(manifest)
        else:
            groups["basis"].append(manifest)
    return groups

"""Kourier: the ingress of Knative Serving, its gateway (Envoy), and the node port that reaches it, where that is
wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.cluster.objects import KubernetesObject, Placement, register
from components.knative.load_balancer import NAMESPACE, LoadBalancer
from components.manifests import GATEWAY, SMALL, Manifest, key, own, redirect_images, transformed, with_replicas
from components.sources.images import ImageMap

INGRESS_CLASS = "kourier.ingress.networking.knative.dev"


@dataclass(frozen=True, kw_only=True)
class KourierArgs:
    """Which release, and the node port of its gateway."""

    manifests: Sequence[Manifest]
    """Objects of the release's kourier.yaml."""
    images: ImageMap
    small: bool
    """Whether the small profile is applied: lower requests, quick starts, no documentation inside the objects."""
    node_port: int | None = None
    """Port of the node where the gateway is reached; None: no such Service is made."""
    entrance: LoadBalancer | None = None
    """What of the release is in the cluster already, because its address decides the domain."""
    replicas: int = 1
    """Pods of the gateway, at least."""
    namespaces: Sequence[pulumi.Resource] = ()
    """Namespaces of Knative Serving, where the controller's objects are too."""
    definitions: Sequence[pulumi.Resource] = ()
    """Knative's definitions and ConfigMaps, without which the controller stops."""
    placement: Placement = Placement()


class Kourier(pulumi.ComponentResource):
    """Kourier from its release manifest, and the Service kourier-ingress of type NodePort."""

    def __init__(self, name: str, args: KourierArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("knative-releases:index:Kourier", name, None, opts)
        self._placement = args.placement
        profile = SMALL if args.small else ()
        release = transformed(
            with_replicas(args.manifests, NAMESPACE, GATEWAY, args.replicas),
            redirect_images(args.images.redirected),
            *profile,
            own,
        )
        taken = args.entrance.keys if args.entrance else frozenset()
        release = [manifest for manifest in release if key(manifest) not in taken]
        first = [m for m in release if m["kind"] == "Namespace"]
        namespaces: Sequence[pulumi.Resource] = args.entrance.objects if args.entrance else self._register(first)
        rest = [m for m in release if m["kind"] not in ("Namespace", "Deployment")]
        basis = self._register(rest, [*namespaces, *args.namespaces])
        workloads = [m for m in release if m["kind"] == "Deployment"]
        self._register(workloads, [*basis, *args.definitions])
        if args.node_port:
            self._register([own(ingress(args.node_port))], namespaces)
        self.register_outputs({})

    def _register(
        self, manifests: Sequence[Manifest], depends_on: Sequence[pulumi.Resource] = ()
    ) -> list[KubernetesObject]:
        return register(manifests, self, depends_on, self._placement)


def ingress(node_port: int) -> Manifest:
    """The tutorial's Service kourier-ingress: the gateway at a port of the node. Pure."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kourier-ingress",
            "namespace": NAMESPACE,
            "labels": {"networking.knative.dev/ingress-provider": "kourier"},
        },
        "spec": {
            "type": "NodePort",
            "selector": {"app": GATEWAY},
            "ports": [{"name": "http2", "nodePort": node_port, "port": 80, "targetPort": 8080}],
        },
    }

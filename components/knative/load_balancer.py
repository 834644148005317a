"""The entrance of a cluster that is not on this machine: Kourier's Service of type LoadBalancer, and its address.

It comes before the rest of Kourier and before Knative, whose domain may be made of the address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.cluster.objects import Placement, register
from components.manifests import Manifest, annotate, key, own, transformed

NAMESPACE = "kourier-system"
SERVICE = ("Service", NAMESPACE, "kourier")
SECONDS = 300
"""How long the cluster may take to give the Service an address."""


class EntranceError(pulumi.RunError):
    """The address of the load balancer makes no domain; the message says what to set."""


class LoadBalancer(pulumi.ComponentResource):
    """Kourier's namespace and its Service of type LoadBalancer. Ready when that has an address."""

    objects: Sequence[pulumi.Resource]
    """The namespace and the Service."""
    keys: frozenset[tuple[str, str, str]]
    """Which objects of Kourier's release these are."""
    address: pulumi.Output[str]
    """IP address or host name that reaches the gateway."""

    def __init__(
        self,
        name: str,
        manifests: Sequence[Manifest],
        placement: Placement,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """manifests: objects of the release's kourier.yaml."""
        super().__init__("knative-releases:index:LoadBalancer", name, None, opts)
        spaces = transformed([m for m in manifests if m["kind"] == "Namespace"], own)
        # Not the provider's own wait, which wants endpoints too: the gateway's pods come later.
        wait = annotate({"pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress}"})
        services = transformed([m for m in manifests if key(m) == SERVICE], own, _awaited, wait)
        namespaces = register(spaces, self, [], placement)
        limit = pulumi.CustomTimeouts(create=f"{SECONDS}s", update=f"{SECONDS}s")
        hooks = pulumi.ResourceHookBinding(on_error=[pulumi.ErrorHook(f"{name}-without-address", _tell)])
        (service,) = register(
            services, self, namespaces, placement, pulumi.ResourceOptions(custom_timeouts=limit, hooks=hooks)
        )
        self.objects = [*namespaces, service]
        self.keys = frozenset(key(manifest) for manifest in (*spaces, *services))
        self.address = service.status.apply(address_of)
        self.register_outputs({"address": self.address})


def address_of(status: Mapping[str, Any]) -> str:
    """The address that a Service's status names: an IP address, or a host name. Pure."""
    first = status["loadBalancer"]["ingress"][0]
    return str(first.get("ip") or first["hostname"])


def domain_of(address: str) -> str:
    """The domain whose every name leads to an IP address. Pure. Raises EntranceError for a host name."""
    try:
        # sslip.io writes the colons of IPv6 as dashes.
        return f"{str(ipaddress.ip_address(address)).replace(':', '-')}.sslip.io"
    except ValueError:
        raise EntranceError(
            f"the load balancer has the host name {address} and no IP address, so no domain can be made of it. Give a "
            f"domain of yours whose names (*.<domain>) lead to {address}: "
            "pulumi config set --path 'knative-releases:knative.domain' <domain>"
        ) from None


def _awaited(manifest: Manifest) -> Manifest:
    del manifest["metadata"]["annotations"]["pulumi.com/skipAwait"]
    return manifest


def _tell(args: pulumi.ErrorHookArgs) -> bool:
    if args.failed_operation in ("create", "update"):
        pulumi.log.error(
            f"the cluster gave the Service {'/'.join(SERVICE[1:])} no address within {SECONDS} s: it has nothing that "
            "serves LoadBalancers, or no address left (kubectl describe service --namespace kourier-system kourier)"
        )
    return False

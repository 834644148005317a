"""URLs of a service and its tags, as a client outside the cluster calls them, or one inside where nobody else can.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

VISIBILITY_LABEL, CLUSTER_LOCAL = "networking.knative.dev/visibility", "cluster-local"
"""Label of a Service that only clients inside the cluster reach, and its value."""
LOCAL_DOMAIN = "svc.cluster.local"
"""Kubernetes' default; where the cluster has another one, the Service's status says it."""


@dataclass(frozen=True)
class Urls:
    """The URLs of one service: those that the cluster reports, else those that Knative makes by default."""

    service: str
    namespace: str
    domain: str
    port: int
    """Port on which the ingress is reached, where it is not the scheme's own."""
    status: Mapping[str, Any] | None = None
    """Status of the Knative Service; None: not known."""
    labelled: bool = False
    """Whether its label says that it is reached from inside the cluster alone."""

    @property
    def local(self) -> bool:
        """Whether it is reached from inside the cluster alone, by what the cluster reports, else by the label."""
        return local(self.status) if self.status else self.labelled

    def of(self, tag: str | None = None) -> str:
        """The URL of a tag, or of the service itself."""
        if found := reported(self.status or {}, tag):
            return found if self.local else with_port(found, self.port)
        host = f"{tag}-{self.service}" if tag else self.service
        if self.local:
            return f"http://{host}.{self.namespace}.{LOCAL_DOMAIN}"
        return with_port(f"http://{host}.{self.namespace}.{self.domain}", self.port)


def reported(status: Mapping[str, Any], tag: str | None = None) -> str | None:
    """The URL that a Knative Service's status names for a tag, or for the service itself."""
    if tag is None:
        return status.get("url")
    return next((t.get("url") for t in status.get("traffic") or [] if t.get("tag") == tag), None)


def local(status: Mapping[str, Any]) -> bool:
    """Whether a Knative Service's status names no URL but that of the inside of the cluster."""
    inside = (status.get("address") or {}).get("url")
    return inside is not None and inside == status.get("url")


def with_port(url: str, port: int) -> str:
    """A URL of the cluster, which knows nothing of a port in front of its ingress, with that port."""
    return url if port == 80 or urlsplit(url).port else f"{url}:{port}"

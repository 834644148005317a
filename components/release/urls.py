"""URLs of a service and its tags, as a client outside the cluster calls them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


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

    def of(self, tag: str | None = None) -> str:
        """The URL of a tag, or of the service itself."""
        if found := reported(self.status or {}, tag):
            return with_port(found, self.port)
        host = f"{tag}-{self.service}" if tag else self.service
        return with_port(f"http://{host}.{self.namespace}.{self.domain}", self.port)


def reported(status: Mapping[str, Any], tag: str | None = None) -> str | None:
    """The URL that a Knative Service's status names for a tag, or for the service itself."""
    if tag is None:
        return status.get("url")
    return next((t.get("url") for t in status.get("traffic") or [] if t.get("tag") == tag), None)


def with_port(url: str, port: int) -> str:
    """A URL of the cluster, which knows nothing of a port in front of its ingress, with that port."""
    return url if port == 80 or urlsplit(url).port else f"{url}:{port}"

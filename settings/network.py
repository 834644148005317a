"""The settings of what stands between the cluster and the image registries."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from settings.base import Frozen as _Settings
from settings.types import Text

_PROXY = "http://host:port, without a login: settings are plain text"


def _proxy_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.path.strip("/"):
        raise ValueError(_PROXY)
    return value


ProxyUrl = Annotated[Text, AfterValidator(_proxy_url)]


class Proxy(_Settings):
    """The HTTP proxy of the kind node, which pulls images, and of Knative's controller, which looks up their digests.

    Unset, the node gets the proxy of the environment that makes the cluster, and the controller none.
    """

    http: ProxyUrl | None = None
    https: ProxyUrl | None = None
    no: Text = ""
    """What is asked directly, as in NO_PROXY; the cluster's own addresses are, in any case."""


class Network(_Settings):
    """What stands between the cluster and the image registries."""

    proxy: Proxy = Proxy()
    ca: Text | None = None
    """PEM file of certificate authorities that the kind node and Knative's controller trust besides the public ones."""
    registries: Text | None = None
    """Folder for the kind node: what it knows of registries (`<host>/hosts.toml`, as containerd reads them in
    /etc/containerd/certs.d) and logins (`config.json`, as `docker login` writes them), which Knative's controller uses
    too."""

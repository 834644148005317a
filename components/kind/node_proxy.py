"""Whether a node could use the proxy that kind hands to it. Standard library only.

Read from the environment: the proxy's variables, and PULLS, which is empty where no image is pulled.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

from components.proxies import is_local

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY")
"""Those that kind hands to a node, in small letters where these are not set (its pkg/cluster/internal/providers)."""


def proxy_problems() -> Iterator[str]:
    """A proxy on this machine's loopback, which in the node means the node itself."""
    for variable in VARIABLES if os.environ.get("PULLS") else ():
        proxy = os.environ.get(variable) or os.environ.get(variable.lower(), "")
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        if parts.hostname and is_local(parts.hostname):
            port = f":{parts.port}" if parts.port else ""
            scheme = variable.partition("_")[0].lower()
            yield (
                f"{variable} names a proxy at {parts.hostname}{port}, which the cluster's node cannot reach: there "
                "that means the node. Let the proxy listen on Docker's bridge too (usually 172.17.0.1; ip addr show "
                "docker0), and set it for the cluster: pulumi config set --path "
                f"'knative-releases:network.proxy.{scheme}' http://<that address>{port}"
            )

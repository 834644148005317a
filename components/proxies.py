"""Which HTTP proxy a URL is asked through: the environment's variables, read as urllib reads them.

Two things besides, because the Go programs that ask the same hosts (pulumi, kubectl) do them: loopback is never asked
through a proxy, and NO_PROXY may hold ranges of addresses (10.0.0.0/8). Standard library only.
"""

from __future__ import annotations

import ipaddress
import urllib.request
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

LOCAL_NAMES = ("localhost", "127.0.0.1.sslip.io")
"""Names that, with all names below them, mean this machine: RFC 6761, and the default domain of the services."""


def proxy_of(url: str) -> str | None:
    """URL of the proxy that a URL is asked through; None: none. Raises ValueError for a proxy that is no HTTP proxy."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies_environment().get(parts.scheme)
    return None if not proxy or bypassed(parts.netloc) else checked(proxy)


def checked(proxy: str) -> str:
    """A proxy as a URL: variables may leave out the scheme. Raises ValueError, without the URL, which may hold a
    password.
    """
    complete = proxy if "://" in proxy else f"http://{proxy}"
    parts = urlsplit(complete)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"a proxy of the scheme {parts.scheme} was given, http://host:port is wanted")
    return complete


def bypassed(host: str) -> bool:
    """Whether a host (`name`, `name:port`, `[address]:port`) is asked directly, whatever the proxy."""
    name = urlsplit(f"//{host}").hostname or ""
    if is_local(name):
        return True
    excluded = urllib.request.getproxies_environment().get("no", "")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return bool(urllib.request.proxy_bypass(host))
    ranges = (_range(item.strip()) for item in excluded.split(","))
    return any(each and address in each for each in ranges) or bool(urllib.request.proxy_bypass(host))


def is_local(name: str) -> bool:
    """Whether a host name or an address means the machine that asks. Pure: nothing is resolved."""
    if any(name == local or name.endswith(f".{local}") for local in LOCAL_NAMES):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def open_url(
    url: str | urllib.request.Request, seconds: float, *handlers: type[urllib.request.BaseHandler]
) -> HTTPResponse:
    """`urllib.request.urlopen` with these rules. The caller answers for the URL's scheme.

    handlers: instead of urllib's own of the same kind.
    """
    response: HTTPResponse = urllib.request.build_opener(_ProxyHandler(), *handlers).open(url, timeout=seconds)
    return response


class _ProxyHandler(urllib.request.ProxyHandler):
    """Asks directly what is `bypassed`, for each request: a redirect may lead elsewhere."""

    def proxy_open(self, req: urllib.request.Request, proxy: str, type: str) -> Any:
        """The answer through the proxy; None: ask directly."""
        if bypassed(req.host):
            return None
        return super().proxy_open(req, proxy, type)


def _range(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None

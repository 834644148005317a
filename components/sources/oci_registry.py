"""Charts in an OCI registry: a manifest by its tag, and in it the archive by its digest.

The protocol is that of https://github.com/opencontainers/distribution-spec; the login that of Docker's token
specification: the registry refuses with a challenge that says where a token can be had, for whom and for what.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from components.sources.download import DownloadError, StatusError, fetch
from components.sources.registry_login import DOCKER_HUB, login

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CHART_TYPES = ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/tar+gzip")
"""Media types of a chart's archive, the newer one first."""
UNAUTHORIZED = 401


def chart_archive(reference: str) -> bytes:
    """The archive of a chart.

    reference: `oci://<registry>/<repository>:<version>`.
    Raises DownloadError when it cannot be had or is not what the registry announced.
    """
    host, _, path = reference.removeprefix("oci://").partition("/")
    repository, _, version = path.rpartition(":")
    registry = _Registry("registry-1.docker.io" if host in DOCKER_HUB else host)
    manifest = registry.get(f"{repository}/manifests/{version}", {"Accept": MANIFEST_TYPE})
    digest = _digest(registry.host, manifest)
    archive = registry.get(f"{repository}/blobs/{digest}")
    found = f"sha256:{hashlib.sha256(archive).hexdigest()}"
    if found != digest:
        raise DownloadError(registry.host, f"sent another file than it announced: its digest is {found}, not {digest}")
    return archive


class _Registry:
    """Requests at one registry, with the token that it asked for."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._authorization: str | None = None

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> bytes:
        """The content at a path below the API's root."""
        # As Docker and containerd do it: a registry on this machine has no certificate.
        name = urlsplit(f"//{self.host}").hostname or ""
        scheme = "http" if name in ("localhost", "::1") or name.startswith("127.") else "https"
        url = f"{scheme}://{self.host}/v2/{path}"
        try:
            return fetch(url, headers, self._authorization)
        except StatusError as error:
            if error.status != UNAUTHORIZED or self._authorization:
                raise
            self._authorization = self._answer_to(error)
        return fetch(url, headers, self._authorization)

    def _answer_to(self, refusal: StatusError) -> str:
        """The Authorization header that a challenge asks for."""
        challenge = refusal.headers.get("WWW-Authenticate", "")
        kind, _, rest = challenge.partition(" ")
        known = login(self.host)
        if kind.lower() == "basic" and known:
            return known.basic
        parameters = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        if kind.lower() != "bearer" or "realm" not in parameters:
            raise refusal
        query = urlencode({name: parameters[name] for name in ("service", "scope") if name in parameters})
        answer = _json(
            urlsplit(parameters["realm"]).netloc,
            fetch(f"{parameters['realm']}?{query}", authorization=known.basic if known else None),
            "a token",
        )
        token = answer.get("token") or answer.get("access_token")
        if not isinstance(token, str):
            raise DownloadError(self.host, "gave no token to read the chart with")
        return f"Bearer {token}"


def _digest(host: str, manifest: bytes) -> str:
    """Digest of the chart's archive, as a manifest names it."""
    layers = _json(host, manifest, "a registry's manifest").get("layers")
    for layer in layers if isinstance(layers, list) else []:
        if isinstance(layer, dict) and layer.get("mediaType") in CHART_TYPES:
            digest = str(layer.get("digest"))
            if re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
                return digest
    raise DownloadError(host, "has something there that is no Helm chart")


def _json(host: str, text: bytes, wanted: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise DownloadError(host, f"answers with something that is not {wanted}: a login page of the network?")
    return value

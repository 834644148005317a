"""Whether the upstream releases and image registries answer from here.

It asks as the tools will: over HTTPS, through the proxies of the environment (HTTPS_PROXY, NO_PROXY).
"""

from __future__ import annotations

import http.client
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from components.sources.images import ImageMap, Reference
from toolchain import pins

SECONDS = 10.0
"""How long one question may take."""
TRIES = 2
PAUSE_SECONDS = 1.0
"""Between two tries: a refusal comes at once, and a network that has just come up needs a moment."""
IMAGES = (
    "docker.io/kindest/node",
    "docker.io/envoyproxy/envoy",
    "docker.io/bitnamilegacy/kafka",
    "docker.io/salaboy/frontend",
    "gcr.io/knative-releases/knative.dev/serving/cmd/controller",
)
"""One image of each owner whose images an environment needs."""
CHARTS = "oci://registry-1.docker.io/bitnamicharts"
# Names of images that no registry has.
LOCAL = ("dev.local", "kind.local", "ko.local")
# A registry that answers "who are you" answers.
UNAUTHORIZED = 401
FAILURES = (OSError, http.client.HTTPException, ValueError)
"""What a request raises: no network, an answer that is not HTTP, a proxy variable that is no URL."""


def upstream_places(downloads: Sequence[pins.Download], sources: Mapping[str, Any]) -> tuple[str, ...]:
    """URLs that answer where everything can be had: the tools' checksum files, and the registries of images and charts.

    sources: the setting, as a mapping; a mirror that it names is asked in upstream's place.
    """
    images = sources.get("images")
    mirrors = ImageMap(images if isinstance(images, dict) else {})
    references = [Reference.parse(mirrors.redirected(image)) for image in IMAGES]
    registries = [reference.registry for reference in references if reference.registry not in LOCAL]
    charts = str(sources.get("charts", CHARTS))
    places = [download.checksums_url for download in downloads]
    for base in (charts, str(sources.get("manifests", ""))):
        scheme, _, rest = base.partition("://")
        if scheme == "oci":
            registries.append(rest.partition("/")[0])
        elif scheme in ("http", "https"):
            places.append(base)
    hosts = ("registry-1.docker.io" if registry == "docker.io" else registry for registry in registries)
    return tuple(dict.fromkeys([*places, *(f"https://{host}/v2/" for host in hosts)]))


def unreachable(urls: Sequence[str], seconds: float = SECONDS, tries: int = TRIES) -> list[str]:
    """A line for each host that does not answer, with the reason. All are asked at once, and again where they fail.

    seconds: for one question; the whole takes `tries` times as long at most.
    """
    reasons: dict[str, str | None] = {}
    deadline = time.monotonic() + seconds * tries

    def ask(url: str) -> None:
        for number in range(tries):
            time.sleep(min(PAUSE_SECONDS, seconds) if number else 0)
            reasons[url] = _reason(url, seconds)
            if reasons[url] is None:
                return

    # Daemons, since resolving a name takes as long as it likes and must not hold back the end of the program.
    threads = [threading.Thread(target=ask, args=(url,), daemon=True) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    told: dict[str, str] = {}
    for url in urls:
        reason = reasons.get(url, f"no answer within {seconds * tries:g} s")
        if reason:
            told.setdefault(urlsplit(url).netloc, reason)
    return [f"{host} ({reason})" for host, reason in told.items()]


def _reason(url: str, seconds: float) -> str | None:
    """Why a URL does not answer, None when it does."""
    try:
        # The URLs are those of this package or of the stack's settings, both HTTP.
        with urllib.request.urlopen(url, timeout=seconds):  # nosec B310
            return None
    except urllib.error.HTTPError as error:
        error.close()
        # Below a base that is no file, a server that has nothing to show answers all the same.
        return None if error.code in (UNAUTHORIZED, http.client.NOT_FOUND) else f"HTTP {error.code}"
    except FAILURES as error:
        return in_words(error)


def in_words(error: Exception) -> str:
    """The cause of a failed request, without the error numbers that urllib wraps it in, and with what helps."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {cause.verify_message}; {_certificates()}"
    if isinstance(cause, http.client.HTTPException):
        return f"an answer that is not HTTP, as a login page of the network may give: {cause or type(cause).__name__}"
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


def _certificates() -> str:
    own = "for a company's own certificate authority: export SSL_CERT_FILE=<its .pem file>"
    if sys.platform != "darwin":
        return own
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"for a Python of python.org run '/Applications/Python {version}/Install Certificates.command'; {own}"

"""Whether the upstream releases and image registries answer from here, found out in a few seconds.

It asks as the tools will: over HTTPS, through the proxies of the environment (HTTPS_PROXY, NO_PROXY).
"""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from urllib.parse import urlsplit

from toolchain import pins

SECONDS = 3.0
IMAGE_REGISTRIES = ("https://registry-1.docker.io/v2/", "https://gcr.io/v2/")
# A registry that answers "who are you" answers.
UNAUTHORIZED = 401


def upstream_places(downloads: Sequence[pins.Download]) -> tuple[str, ...]:
    """URLs that answer where everything upstream can be had: the checksum files, and the image registries' roots."""
    return (*(download.checksums_url for download in downloads), *IMAGE_REGISTRIES)


def unreachable(urls: Sequence[str], seconds: float = SECONDS) -> list[str]:
    """A line for each host that does not answer within this time, with the reason; asks all at once."""
    reasons: dict[str, str | None] = {}

    def ask(url: str) -> None:
        reasons[url] = _reason(url, seconds)

    # Daemons, since resolving a name takes as long as it likes and must not hold back the end of the program.
    threads = [threading.Thread(target=ask, args=(url,), daemon=True) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)
    told: dict[str, str] = {}
    for url in urls:
        reason = reasons.get(url, f"no answer within {seconds:g} s")
        if reason:
            told.setdefault(urlsplit(url).netloc, reason)
    return [f"{host} ({reason})" for host, reason in told.items()]


def _reason(url: str, seconds: float) -> str | None:
    """Why a URL does not answer, None when it does."""
    try:
        # The URLs are those of this package, not input.
        with urllib.request.urlopen(url, timeout=seconds):  # nosec B310
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return None if error.code == UNAUTHORIZED else f"HTTP {error.code}"
    except OSError as error:
        return in_words(error)


def in_words(error: OSError) -> str:
    """The cause of a failed request, without the error numbers that urllib wraps it in."""
    cause = getattr(error, "reason", error)
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__

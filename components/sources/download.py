"""HTTP requests for what comes from outside: they try again after a passing failure, and end with a sentence that names
the host. Proxies and certificates are those of the environment (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE).
"""

from __future__ import annotations

import email.message
import http.client
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from urllib.parse import urlsplit

from components.proxies import open_url

SILENCE_SECONDS = 20.0
"""Longest silence of a server, while connecting or in the middle of an answer."""
FILE_SECONDS = 600.0
"""Longest time for one file: 20 MB, the largest index of charts, need 32 s at 5 Mbit/s."""
PAUSES = (1.0, 4.0)
"""Seconds before the second and the third try; there is no fourth."""
PASSING = (408, 500, 502, 503, 504)
"""Statuses that are worth another try at once. 429 is not: the windows of such limits last for hours."""
CHUNK_BYTES = 1 << 16
_AGENT = "knative-releases"
_WORDS: Mapping[type[BaseException], str] = {
    socket.gaierror: "is not found: its name cannot be resolved",
    ConnectionRefusedError: "is not reached: connection refused",
    http.client.RemoteDisconnected: "breaks off the connection",
    ConnectionError: "breaks off the connection",
    http.client.IncompleteRead: "breaks off the connection",
    http.client.BadStatusLine: "answers with something that is not HTTP",
}
"""What a host did, by the error; the first that fits."""


class DownloadError(Exception):
    """A request that failed for good; the message names the host and says what it did."""

    def __init__(self, host: str, did: str, *, passing: bool = False) -> None:
        super().__init__(f"{host} {did}")
        self.host, self.passing = host, passing


class StatusError(DownloadError):
    """A host that answered, but not with the file."""

    def __init__(self, host: str, status: int, headers: email.message.Message) -> None:
        super().__init__(host, f"answers {_status_in_words(status)}", passing=status in PASSING)
        self.status, self.headers = status, headers


def fetch(url: str, headers: Mapping[str, str] | None = None, authorization: str | None = None) -> bytes:
    """The content at a URL (http or https).

    authorization: value of that header; it goes to the URL's own host alone, not to where that one redirects.
    Raises DownloadError, after up to three tries where the failure may pass.
    """
    for pause in PAUSES:
        try:
            return _once(url, headers or {}, authorization)
        except DownloadError as error:
            if not error.passing:
                raise
        time.sleep(pause)
    return _once(url, headers or {}, authorization)


def _once(url: str, headers: Mapping[str, str], authorization: str | None) -> bytes:
    host = urlsplit(url).netloc
    try:
        request = urllib.request.Request(url, headers={"User-Agent": _AGENT, **headers})
        if authorization:
            request.add_unredirected_header("Authorization", authorization)
        # Any scheme that urllib knows may be meant: the base is the user's own setting.
        with open_url(request, SILENCE_SECONDS) as response:
            host = urlsplit(response.url).netloc or host
            return _whole(response, host)
    except urllib.error.HTTPError as error:
        with error:
            raise StatusError(urlsplit(error.url or url).netloc or host, error.code, error.headers) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = getattr(error, "reason", error)
        raise DownloadError(host, _did(cause), passing=_passes(cause)) from None


def _whole(response: http.client.HTTPResponse, host: str) -> bytes:
    """The body, which has to be as long as announced and to arrive in time."""
    announced, end = response.headers.get("Content-Length"), time.monotonic() + FILE_SECONDS
    content = bytearray()
    while chunk := response.read(CHUNK_BYTES):
        content += chunk
        if time.monotonic() > end:
            raise DownloadError(host, f"sends too slowly: {len(content)} bytes in {FILE_SECONDS:g} s")
    if announced is not None and len(content) != int(announced):
        raise DownloadError(host, f"ended after {len(content)} of {announced} bytes", passing=True)
    return bytes(content)


def _passes(cause: object) -> bool:
    if isinstance(cause, socket.gaierror):
        return cause.errno == socket.EAI_AGAIN
    return isinstance(cause, TimeoutError | ConnectionResetError | BrokenPipeError | http.client.HTTPException)


def _did(cause: object) -> str:
    """What a host did, as the second half of a sentence."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            f"shows a certificate that is not trusted ({cause.verify_message}). Behind a proxy that reads TLS: name "
            "the file with its CA in SSL_CERT_FILE"
        )
    if isinstance(cause, TimeoutError):
        return f"does not answer: {SILENCE_SECONDS:g} s of silence"
    words = next((words for kind, words in _WORDS.items() if isinstance(cause, kind)), None)
    return words or f"is not reached: {getattr(cause, 'strerror', None) or cause}"


def _status_in_words(status: int) -> str:
    return f"{status} {http.client.responses.get(status, '')}".strip()

"""A Prometheus, asked over its HTTP API: one instant query, one vector."""

from __future__ import annotations

import http.client
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis import AnalysisError
from components.proxies import open_url

SECONDS = 3.0
"""Limit for each answer."""
AUTHORIZATION = "PROMETHEUS_AUTHORIZATION"
"""Environment variable with the value of the HTTP header `Authorization`, such as `Bearer <token>`; sent where it is
set, and to no other address that an answer points to.
"""


@dataclass(frozen=True)
class Series:
    """One element of a vector."""

    labels: Mapping[str, str]
    value: float


class Prometheus:
    """A server by its URL."""

    def __init__(self, url: str) -> None:
        """
        url: such as `http://127.0.0.1:9090`. Raises AnalysisError for another scheme than http(s).
        """
        split = urllib.parse.urlsplit(url)
        if split.scheme not in ("http", "https"):
            raise AnalysisError(f"{url!r} given, the URL of a Prometheus wanted, such as http://127.0.0.1:9090")
        if split.username or split.password:
            raise AnalysisError(
                f"A URL with a password in it was given for {split.hostname}. Set the environment variable "
                f"{AUTHORIZATION} instead, such as 'Bearer <token>'"
            )
        self.url = url.rstrip("/")

    def vector(self, query: str) -> list[Series]:
        """What an instant query results in. Raises AnalysisError."""
        address = f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        authorization = os.environ.get(AUTHORIZATION)
        request = urllib.request.Request(address, headers={"Authorization": authorization} if authorization else {})
        try:
            # Only http(s): the constructor refuses other schemes.
            with open_url(request, SECONDS, _NoRedirect) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            hint = f"; {AUTHORIZATION} sets the header Authorization" if error.code in (401, 403) else ""
            raise AnalysisError(f"{self.url} refuses ({error.code}: {_told(error)}{hint}) the query: {query}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise AnalysisError(
                f"No Prometheus answers at {self.url} ({reason}). Is its URL right, and can it be reached from here? "
                f"curl {self.url}/-/ready"
            ) from None
        data = answer.get("data", {}) if isinstance(answer, dict) else {}
        kind = data.get("resultType")
        if kind == "scalar":
            return [Series({}, float(data["result"][1]))]
        if kind != "vector":
            raise AnalysisError(f"{self.url} answers with {kind!r}, not with a vector, to: {query}")
        return [Series(each["metric"], float(each["value"][1])) for each in data["result"]]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The header with the token goes where the user said, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None: an error, as any other status."""
        return


def _told(error: urllib.error.HTTPError) -> str:
    """What Prometheus says of a bad query, or else what HTTP says."""
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)

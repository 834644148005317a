"""A Prometheus as a source: four instant queries for each track, by templates that can be replaced.

The queries as given ask for Knative's own revision metrics (up to 1.18; later ones have other names), whose `route_tag`
tells users' requests from those by a tag and from this tool's probes. Prometheus extrapolates an increase to the
window, so its counts are rounded.
"""

from __future__ import annotations

import http.client
import json
import math
import time
import urllib.error
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis import AnalysisError
from analysis.histogram import Bucket, Histogram
from analysis.model import Sample
from components.proxies import open_url
from status.model import Service

SECONDS = 3.0
"""Limit for each answer."""
LEAST_SECONDS = 1
"""Shortest range that a query asks for."""
_OF = '{{namespace_name="{namespace}",revision_name="{revision}",route_tag=~"DEFAULT|DISABLED"'


@dataclass(frozen=True, kw_only=True)
class Queries:
    """Templates of PromQL. `{namespace}`, `{revision}` and `{seconds}` (since the window's beginning) are filled in;
    other braces are doubled.
    """

    requests: str = f"sum(increase(revision_request_count{_OF}}}}}[{{seconds}}s]))"
    """One number; no result is 0."""
    errors: str = f'sum(increase(revision_request_count{_OF},response_code_class="5xx"}}}}[{{seconds}}s]))'
    client_errors: str = f'sum(increase(revision_request_count{_OF},response_code_class="4xx"}}}}[{{seconds}}s]))'
    latency: str = f"sum by (le) (increase(revision_request_latencies_bucket{_OF}}}}}[{{seconds}}s]))"
    """Cumulative buckets, each with its upper bound in milliseconds as the label `le`."""


class Prometheus:
    """`analysis.model.Source` over the HTTP API of a Prometheus."""

    def __init__(self, url: str, queries: Queries | None = None) -> None:
        """
        url: of the server, such as `http://127.0.0.1:9090`. Raises AnalysisError for another scheme than http(s).
        """
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise AnalysisError(f"{url!r} given, the URL of a Prometheus wanted, such as http://127.0.0.1:9090")
        self._url, self._queries = url.rstrip("/"), queries or Queries()
        self._service: Service | None = None
        self._begun = 0.0

    @property
    def name(self) -> str:
        """`prometheus:<URL>`."""
        return f"prometheus:{self._url}"

    def begin(self, service: Service) -> None:
        """See `Source.begin`."""
        self._service, self._begun = service, time.monotonic()
        self._ask("vector(1)")

    def read(self) -> Mapping[str, Sample]:
        """See `Source.read`."""
        if not self._service:
            raise ValueError("read before begin")
        service, seconds = self._service, time.monotonic() - self._begun
        return {t.name: self._sample(service.namespace, t.revision.name, seconds) for t in service.tracks if t.name}

    def close(self) -> None:
        """See `Source.close`: no connection outlives its request."""

    def _sample(self, namespace: str, revision: str, seconds: float) -> Sample:
        filled = {"namespace": namespace, "revision": revision, "seconds": str(max(LEAST_SECONDS, round(seconds)))}
        asked = self._queries
        requests, failed, refused, latency = (
            _filled(template, filled) for template in (asked.requests, asked.errors, asked.client_errors, asked.latency)
        )
        number = round(self._number(requests))
        errors = min(number, round(self._number(failed)))
        return Sample(
            requests=number,
            errors=errors,
            client_errors=min(number - errors, round(self._number(refused))),
            latency=_histogram(self._ask(latency), latency),
            seconds=seconds,
        )

    def _number(self, query: str) -> float:
        values = [_finite(each["value"][1]) for each in self._ask(query)]
        if len(values) > 1:
            raise AnalysisError(f"{self._url} answers {len(values)} numbers, where one is wanted, to: {query}")
        return values[0] if values else 0.0

    def _ask(self, query: str) -> list[dict[str, Any]]:
        """The vector that an instant query results in."""
        url = f"{self._url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        try:
            # Only http(s): the constructor refuses other schemes.
            with open_url(url, SECONDS) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise AnalysisError(f"{self._url} refuses ({error.code}: {_told(error)}) the query: {query}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise AnalysisError(
                f"No Prometheus answers at {self._url} ({reason}). Is its URL right, and can it be reached from here? "
                f"curl {self._url}/-/ready"
            ) from None
        data = answer.get("data", {}) if isinstance(answer, dict) else {}
        if data.get("resultType") != "vector":
            raise AnalysisError(f"{self._url} answers with {data.get('resultType')!r}, not with a vector, to: {query}")
        result: list[dict[str, Any]] = data["result"]
        return result


def _filled(template: str, values: Mapping[str, str]) -> str:
    try:
        return template.format_map(values)
    except (KeyError, ValueError, IndexError) as error:
        raise AnalysisError(
            f"The query {template} is no template ({error}): {{namespace}}, {{revision}} and {{seconds}} are filled "
            "in, other braces are doubled"
        ) from None


def _told(error: urllib.error.HTTPError) -> str:
    """What Prometheus says of a bad query, or else what HTTP says."""
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else 0.0


def _histogram(vector: list[dict[str, Any]], query: str) -> Histogram:
    if not all("le" in each["metric"] for each in vector):
        raise AnalysisError(f"The answer to the query of latencies has no label `le` (sum by (le) …): {query}")
    up_to = sorted((float(each["metric"]["le"]), _finite(each["value"][1])) for each in vector)
    buckets, low, before = [], 0.0, 0
    for bound, value in up_to:
        number = round(value) - before
        if number > 0:
            buckets.append(Bucket(low, low if math.isinf(bound) else bound, number))
            before += number
        low = bound
    return Histogram(tuple(buckets))

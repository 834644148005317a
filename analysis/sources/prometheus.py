"""A Prometheus as a source: the counters of Knative's queue-proxies, by queries that can be replaced.

Counters are read as they are and compared with those at the window's beginning. `increase()` would extrapolate them to
the window, and miss the first value of a new series (https://github.com/prometheus/prometheus/issues/3886): a new
revision's first errors. Each scrape is as old as it is: what came in between the last scrape and the window's beginning
counts as well, and what came in since the last one does not yet.

The queries as given ask for Knative's own revision metrics (up to 1.18; later ones have other names), whose `route_tag`
tells users' requests from those by a tag and from this tool's probes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from analysis import AnalysisError
from analysis.model import Sample
from analysis.sources.promql import Prometheus as Server
from analysis.sources.promql import Series
from status.counters.histogram import Bucket, Histogram
from status.model import Service, Track

_OF = '{{namespace_name="{namespace}",revision_name="{revision}",route_tag=~"DEFAULT|DISABLED"'


@dataclass(frozen=True, kw_only=True)
class Queries:
    """Templates of PromQL, each for counters: any number of series, each of which only grows. `{namespace}` and
    `{revision}` are filled in; other braces are doubled.
    """

    requests: str = f"revision_request_count{_OF}}}}}"
    errors: str = f'revision_request_count{_OF},response_code_class="5xx"}}}}'
    client_errors: str = f'revision_request_count{_OF},response_code_class="4xx"}}}}'
    latency: str = f"revision_request_latencies_bucket{_OF}}}}}"
    """Cumulative buckets, each with its upper bound in milliseconds as the label `le`."""


@dataclass
class _Counters:
    """The series of one query, and what came in since the first answer."""

    came: dict[frozenset[tuple[str, str]], float] = field(default_factory=dict)
    _last: dict[frozenset[tuple[str, str]], float] | None = None

    def add(self, vector: list[Series]) -> None:
        """The first answer is where counting begins. A series that appears later began at 0, and so did one that
        shrank: its process is a new one.
        """
        now = {frozenset(series.labels.items()): series.value for series in vector if math.isfinite(series.value)}
        if self._last is not None:
            for key, value in now.items():
                before = self._last.get(key, 0.0)
                self.came[key] = self.came.get(key, 0.0) + (value - before if value >= before else value)
        self._last = {**(self._last or {}), **now}  # a series that was not scraped for a moment goes on

    @property
    def number(self) -> int:
        """What came in, of all series."""
        return round(sum(self.came.values()))

    def by(self, label: str, query: str) -> dict[str, float]:
        """What came in, by a label. Raises AnalysisError where a series has none."""
        sums: dict[str, float] = {}
        for key, value in self.came.items():
            labels = dict(key)
            if label not in labels:
                raise AnalysisError(f"The answer to the query of latencies has no label `{label}`: {query}")
            sums[labels[label]] = sums.get(labels[label], 0.0) + value
        return sums


class Prometheus:
    """`analysis.model.Source` over the HTTP API of a Prometheus."""

    def __init__(self, url: str, queries: Queries | None = None) -> None:
        """
        url: of the server, such as `http://127.0.0.1:9090`. Raises AnalysisError for another scheme than http(s).
        """
        self._server, self._queries = Server(url), queries or Queries()
        self._service: Service | None = None
        self._begun = 0.0
        self._counters: dict[tuple[str, int], _Counters] = {}

    @property
    def name(self) -> str:
        """`prometheus:<URL>`."""
        return f"prometheus:{self._server.url}"

    def begin(self, service: Service) -> None:
        """See `Source.begin`."""
        self._service, self._begun, self._counters = service, time.monotonic(), {}
        for track in service.tracks:
            self._sample(service, track)

    def read(self) -> Mapping[str, Sample]:
        """See `Source.read`."""
        if not self._service:
            raise ValueError("read before begin")
        return {track.name: self._sample(self._service, track) for track in self._service.tracks if track.name}

    def close(self) -> None:
        """See `Source.close`: no connection outlives its request."""

    def _sample(self, service: Service, track: Track) -> Sample:
        filled = {"namespace": service.namespace, "revision": track.revision.name}
        asked = self._queries
        requests, failed, refused, latency = (
            self._read(track.revision.name, kind, _filled(template, filled))
            for kind, template in enumerate((asked.requests, asked.errors, asked.client_errors, asked.latency))
        )
        number = requests.number
        errors = min(number, failed.number)
        return Sample(
            requests=number,
            errors=errors,
            client_errors=min(number - errors, refused.number),
            latency=_histogram(latency.by("le", _filled(asked.latency, filled))),
            seconds=time.monotonic() - self._begun,
        )

    def _read(self, revision: str, kind: int, query: str) -> _Counters:
        counters = self._counters.setdefault((revision, kind), _Counters())
        counters.add(self._server.vector(query))
        return counters


def _filled(template: str, values: Mapping[str, str]) -> str:
    try:
        return template.format_map(values)
    except (KeyError, ValueError, IndexError) as error:
        raise AnalysisError(
            f"The query {template} is no template ({error}): {{namespace}} and {{revision}} are filled in, other "
            "braces are doubled"
        ) from None


def _histogram(up_to: Mapping[str, float]) -> Histogram:
    buckets, low, before = [], 0.0, 0
    for bound, value in sorted((float(le), value) for le, value in up_to.items()):
        number = round(value) - before
        if number > 0:
            buckets.append(Bucket(low, low if math.isinf(bound) else bound, number))
            before += number
        low = bound
    return Histogram(tuple(buckets))

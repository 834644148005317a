"""What Knative's queue-proxies say of the requests that did not come by a service's own URL. Pure.

A queue-proxy labels each request with its way: the default one, a tag's name (by the tag's URL and by the tag header
alike), or undefined for an unknown tag in the header, which takes the service's own way. So this tool's probes,
which carry such a tag, and previews are told from users' requests by who passed them on, not by guessing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from status.counters.counted import Counted
from status.counters.histogram import Bucket, Histogram

PORT = 9091
_LINE = re.compile(r"([a-z_]+?)_(count|bucket)\{(.*)\} (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, kw_only=True)
class _Names:
    """How a release of Knative names what it says."""

    counted: str
    """Family of the number of requests."""
    timed: str
    """Family of their latencies."""
    way: str
    status: str
    """Label with the status, or its class; either begins with its first digit."""
    users: tuple[str, ...]
    """The ways of users; the second one: where no service is routed by tags."""
    milliseconds: float
    """Unit of the latencies."""


_NAMES = (
    _Names(  # seen in 1.10.2
        counted="revision_request",
        timed="revision_request_latencies",
        way="route_tag",
        status="response_code_class",
        users=("DEFAULT", "DISABLED"),
        milliseconds=1,
    ),
    _Names(  # seen in 1.23.0
        counted="http_server_request_duration_seconds",
        timed="http_server_request_duration_seconds",
        way="kn_route_tag",
        status="http_response_status_code",
        users=("kn:default", "kn:disabled"),
        milliseconds=1000,
    ),
)


def aside(text: str) -> Counted:
    """The requests by other ways than users', from a pod's `/metrics` (Prometheus' text format)."""
    requests = 0
    by_class = {"4": 0, "5": 0}
    up_to: dict[float, int] = {}
    for family, kind, labels, number in _lines(text):
        for names in _NAMES:
            if labels.get(names.way, names.users[0]) in names.users:
                continue
            if (family, kind) == (names.counted, "count"):
                requests += number
                first = labels[names.status][:1]
                by_class[first] = by_class.get(first, 0) + number
            elif (family, kind) == (names.timed, "bucket"):
                bound = float(labels["le"].replace("+Inf", "inf")) * names.milliseconds
                up_to[bound] = up_to.get(bound, 0) + number
    latency = Histogram(tuple(_apart(sorted(up_to.items()))))
    return Counted(requests, by_class["5"], latency, client_errors=by_class["4"])


def _lines(text: str) -> Iterator[tuple[str, str, Mapping[str, str], int]]:
    """Family, kind, labels and value of each line that counts."""
    for line in text.splitlines():
        if found := _LINE.fullmatch(line):
            yield found[1], found[2], dict(_LABEL.findall(found[3])), round(float(found[4]))


def _apart(up_to: Iterable[tuple[float, int]]) -> Iterable[Bucket]:
    """Cumulative counts as buckets; the last one has no end, and is told by its beginning."""
    low, before = 0.0, 0
    for bound, number in up_to:
        if number > before:
            yield Bucket(low, low if math.isinf(bound) else bound, number - before)
        low, before = bound, number

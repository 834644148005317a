"""What Knative's queue-proxies say of the requests that did not come by a service's own URL. Pure.

A queue-proxy labels each request with its way: `DEFAULT`, a tag's name (by the tag's URL and by the tag header
alike), or `UNDEFINED` for an unknown tag in the header, which takes the service's own way. So this tool's probes,
which carry such a tag, and previews are told from users' requests by who passed them on, not by guessing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from analysis.histogram import Bucket, Histogram
from analysis.sources.counted import Counted

PORT = 9091
USERS = ("DEFAULT", "DISABLED")
"""The ways of users; `DISABLED`: where no service is routed by tags."""
_LINE = re.compile(r"(revision_request_(?:count|latencies_bucket))\{(.*)\} (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def aside(text: str) -> Counted:
    """The requests by other ways than users', from a pod's `/metrics` (Prometheus' text format)."""
    requests = errors = 0
    up_to: dict[float, int] = {}
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        labels: Mapping[str, str] = dict(_LABEL.findall(found[2])) if found else {}
        if not found or labels.get("route_tag", USERS[0]) in USERS:
            continue
        number = round(float(found[3]))
        if found[1].endswith("count"):
            requests += number
            errors += number if labels["response_code_class"] == "5xx" else 0
        else:
            bound = math.inf if labels["le"] == "+Inf" else float(labels["le"])
            up_to[bound] = up_to.get(bound, 0) + number
    return Counted(requests, errors, Histogram(tuple(_apart(sorted(up_to.items())))))


def _apart(up_to: Iterable[tuple[float, int]]) -> Iterable[Bucket]:
    """Cumulative counts as buckets; the last one has no end, and is told by its beginning."""
    low, before = 0.0, 0
    for bound, number in up_to:
        if number > before:
            yield Bucket(low, low if math.isinf(bound) else bound, number - before)
        low, before = bound, number

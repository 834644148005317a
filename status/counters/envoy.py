"""Envoy's statistics of revisions, as its administration endpoint gives them. Pure.

Kourier names the cluster of a revision `<namespace>/<revision>`, whatever route leads to it: a service's URL, a
tag's, or the tag header. `upstream_rq_completed` counts every request that got the beginning of an answer, Envoy's own
503 included; `total` those that were sent to a pod, `cancelled` those whose client gave up before one was connected to,
`active` those that are under way (Envoy's documentation, "Cluster manager: statistics"). A request whose client gave up
waiting raises `total` alone. Seen with Envoy 1.40.0 and a server of HTTP/1.1 that hangs: 3 given up are total 3,
completed 0, active 0. `tx_reset`, whose description fits ("reset locally"), stays 0: only the connection pools of
HTTP/2 and later raise it (Envoy's source/common/http/conn_pool_base.cc), and Kourier speaks HTTP/1.1 to a port that is
not named h2c or http2. `upstream_cx_destroy_local_with_active_rq` counts every client that closes an answered stream,
too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from status.counters.counted import Counted
from status.counters.histogram import Bucket, Histogram

DETAILED, DISJOINT, NONE = "detailed", "disjoint", "none"
"""How finely Envoy tells its histograms: in steps of two digits, or in 19 wide buckets, which is all that releases
before 1.26 know (they answer 400 to `detailed`). NONE: they are not asked for.
"""
WIDE_BOUNDS = (
    *(0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10_000.0, 30_000.0, 60_000.0),
    *(300_000.0, 600_000.0, 1_800_000.0, 3_600_000.0),
)
"""Bounds of the wide buckets in milliseconds (Envoy's source/common/stats/histogram_impl.cc)."""
_KINDS = ("total", "completed", "4xx", "5xx", "active", "cancelled")
_TIMES = "time"


def query(namespace: str, revisions: Iterable[str], buckets: str) -> str:
    """The query of `/stats` that asks for these revisions alone."""
    names = "|".join(re.escape(revision) for revision in revisions)
    kinds = _KINDS if buckets == NONE else (*_KINDS, _TIMES)
    wanted = rf"^cluster\.{re.escape(namespace)}/({names})\.upstream_rq_({'|'.join(kinds)})$"
    return urlencode({"format": "json", "histogram_buckets": buckets, "filter": wanted})


def knows_no_details(text: str) -> bool:
    """Whether an answer with status 400 is Envoy's about `detailed`, and not the API's about a pod that has no address
    yet.
    """
    return "histogram_buckets=" in text


def counted(text: str) -> dict[str, Counted]:
    """What a gateway's answer says, by revision; one that it does not know is not there."""
    numbers: dict[tuple[str, str], int] = {}
    times: dict[str, Histogram] = {}
    for stat in json.loads(text)["stats"]:
        if "histograms" in stat:
            times |= dict(_histograms(stat["histograms"]))
        else:
            numbers[_split(stat["name"])] = int(stat["value"])
    # `total` is made with the cluster, `completed` by its first request.
    return {revision: _counted(revision, numbers, times) for revision, kind in numbers if kind == "total"}


def _counted(revision: str, numbers: Mapping[tuple[str, str], int], times: Mapping[str, Histogram]) -> Counted:
    def number(kind: str) -> int:
        return numbers.get((revision, kind), 0)

    return Counted(
        requests=number("completed"),
        errors=number("5xx"),
        latency=times.get(revision, Histogram()),
        begun=number("total") + number("cancelled"),
        waiting=number("active"),
        client_errors=number("4xx"),
    )


def _split(name: str) -> tuple[str, str]:
    """Revision and kind of `cluster.<namespace>/<revision>.upstream_rq_<kind>`."""
    revision, _, kind = name.partition("/")[2].rpartition(".upstream_rq_")
    return revision, kind


def _histograms(told: Any) -> Iterable[tuple[str, Histogram]]:
    if isinstance(told, Mapping):
        for each in told.get("details", ()):
            yield _split(each["name"])[0], _detailed(each["totals"])
    else:
        for each in told:
            if "name" in each:
                yield _split(each["name"])[0], _disjoint(each["buckets"])


def _detailed(totals: Iterable[Mapping[str, float]]) -> Histogram:
    return Histogram(
        tuple(
            Bucket(t["lower_bound"], round(t["lower_bound"] + t["width"], 6), int(t["count"]))
            for t in sorted(totals, key=lambda t: t["lower_bound"])
        )
    )


def _disjoint(buckets: Iterable[Mapping[str, float]]) -> Histogram:
    found, low = [], 0.0
    for bucket in buckets:
        if bucket["cumulative"]:
            found.append(Bucket(low, bucket["upper_bound"], int(bucket["cumulative"])))
        low = bucket["upper_bound"]
    return Histogram(tuple(found))

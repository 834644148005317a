"""A stand-in for the cluster's pods: a gateway and queue-proxies that answer as the real ones were seen to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from status.counters import reading as gateway
from status.counters.queue_proxy import PORT
from tests.unit.release_status import CANARY, STABLE


@dataclass
class Counts:
    """What a gateway has counted of a revision."""

    requests: int = 0
    """Those that were answered."""
    errors: int = 0
    times: dict[float, int] = field(default_factory=dict)
    """Counts of buckets that are 1 ms wide, by their beginning."""
    hung: int = 0
    """Sent to a pod, and given up by the client before there was an answer."""
    unconnected: int = 0
    """Given up before a pod was connected to."""
    open: int = 0
    """Sent to a pod, and not answered yet."""
    streams: int = 0
    """Of those answered: how many answers are still being sent."""
    refused: int = 0
    """Of those answered: how many the gateway answered without a pod."""
    client_errors: int = 0
    """Of those answered: how many with a status of 400 to 499."""


@dataclass
class Pods:
    """Pods by name, changed by the tests as time goes on."""

    gateways: dict[str, dict[str, Counts] | None] = field(
        default_factory=lambda: {"gateway-1": {STABLE: Counts(), CANARY: Counts()}}
    )
    """None: it does not answer."""
    proxies: dict[str, dict[tuple[str, str], int] | None] = field(default_factory=dict)
    """Requests by way and class of the status, by pod; the revision begins the pod's name."""
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    """What the API answers in the place of a pod."""
    knows_details: bool = True
    asked: list[str] = field(default_factory=list)

    def names(self, namespace: str, label: str) -> Mapping[str, str]:
        """See `gateway.Pods`."""
        if namespace == gateway.NAMESPACE:
            return dict.fromkeys(self.gateways, "")
        assert (namespace, label) == ("default", "serving.knative.dev/service=notifications")
        return {pod: next((r for r in (STABLE, CANARY) if pod.startswith(r)), "other") for pod in self.proxies}

    def get(self, namespace: str, pod: str, port: int, path: str) -> tuple[int, str]:
        """See `gateway.Pods`."""
        self.asked.append(path)
        if namespace == gateway.NAMESPACE:
            assert port == gateway.PORT
            if pod in self.refused:
                return self.refused[pod]
            told = self.gateways[pod]
            detailed = parse_qs(path.partition("?")[2])["histogram_buckets"] == ["detailed"]
            if detailed and not self.knows_details:
                return 400, "usage: /stats?histogram_buckets=(cumulative|disjoint|none)"
            return (503, "no endpoints") if told is None else (200, stats(told, detailed))
        assert (port, path) == (PORT, "metrics")
        ways = self.proxies[pod]
        return (503, "no endpoints") if ways is None else (200, metrics(ways))


def stats(told: Mapping[str, Counts], detailed: bool) -> str:
    """Envoy's answer to `/stats?format=json`, in the form that 1.40 gave."""
    found: list[dict[str, object]] = []
    for revision, counts in told.items():
        name = f"cluster.default/{revision}.upstream_rq"
        sent = counts.requests - counts.refused + counts.hung + counts.open
        found.append({"name": f"{name}_total", "value": sent})
        found.append({"name": f"{name}_active", "value": counts.open + counts.streams})
        found.append({"name": f"{name}_cancelled", "value": counts.unconnected})
        if counts.requests:  # made by the first request
            found.append({"name": f"{name}_completed", "value": counts.requests})
        if counts.client_errors:
            found.append({"name": f"{name}_4xx", "value": counts.client_errors})
        if counts.errors:
            found.append({"name": f"{name}_5xx", "value": counts.errors})
    named = {f"cluster.default/{revision}.upstream_rq_time": counts.times for revision, counts in told.items()}
    if detailed:
        details = [
            {"name": name, "totals": [{"lower_bound": low, "width": 1, "count": n} for low, n in times.items()]}
            for name, times in named.items()
            if times
        ]
        histograms: object = {"supported_percentiles": [50], "details": details}
    else:
        bounds = (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000)
        histograms = [
            {
                "name": name,
                "buckets": [
                    {
                        "upper_bound": high,
                        "interval": 0,
                        "cumulative": sum(n for t, n in times.items() if low <= t < high),
                    }
                    for low, high in zip((0, *bounds), bounds, strict=False)
                ],
            }
            for name, times in named.items()
        ]
    return json.dumps({"stats": [*found, {"histograms": histograms}]})


def metrics(ways: Mapping[tuple[str, str], int]) -> str:
    """A queue-proxy's answer, in the form that Knative 1.10.2 gave: each request took 20 to 40 ms."""
    lines = ["# TYPE revision_request_count counter", 'revision_app_request_count{response_code_class="2xx"} 9999']
    for (way, kind), number in ways.items():
        labels = f'pod_name="p",response_code="{kind[0]}00",response_code_class="{kind}",route_tag="{way}"'
        lines.append(f"revision_request_count{{{labels}}} {number}")
        lines += [
            f'revision_request_latencies_bucket{{{labels},le="{le}"}} {count}'
            for le, count in (("10", 0), ("20", 0), ("40", number), ("+Inf", number))
        ]
        lines.append(f"revision_request_latencies_sum{{{labels}}} {number * 30}")
    return "\n".join(lines) + "\n"

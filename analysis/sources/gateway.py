"""The gateway's own metrics: what Kourier's Envoys counted for each revision, less what did not come from users.

Read through the Kubernetes API, with the stack's own kubeconfig: nothing has to be installed or opened. What came by
a tag, and this tool's own probes, are taken off by what the queue-proxies say. A request that failed before a
queue-proxy saw it is a user's, as far as anybody can tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from analysis import AnalysisError
from analysis.model import Sample
from analysis.sources import envoy, queue_proxy
from analysis.sources.counted import Counted, Reading, Tally
from components.release.readiness import PUT_BACK
from components.release.released_service import OWNER_LABEL
from status.model import Service

NAMESPACE, LABEL = "kourier-system", "app=3scale-kourier-gateway"
PORT = 9000
"""Where Kourier's bootstrap listens for `/stats`."""
_Meaning = TypeVar("_Meaning")


class Pods(Protocol):
    """The cluster's pods: `analysis.sources.pods`."""

    def names(self, namespace: str, label: str) -> Mapping[str, str]:
        """The revision of each running pod with a label, by the pod's name; empty for a pod of none."""
        ...

    def get(self, namespace: str, pod: str, port: int, path: str) -> tuple[int, str]:
        """Status and body of an HTTP request to a pod; the API's own 5xx where the pod does not answer."""
        ...


class Gateway:
    """`analysis.model.Source` over the gateway's statistics."""

    name = "gateway"

    def __init__(self, pods: Pods) -> None:
        self._pods = pods
        self._service: Service | None = None
        self._buckets = envoy.DETAILED

    def begin(self, service: Service) -> None:
        """See `Source.begin`."""
        self._service = service
        self._gateways, self._proxies, self._begun = Tally(), Tally(), time.monotonic()
        known = self._read(service)
        lost = [t.revision.name for t in service.tracks if t.wanted and t.revision.name not in known]
        if lost:
            raise AnalysisError(
                f"The gateway has no statistics of {', '.join(lost)}, which has a share of {service.name}'s requests. "
                "What the cluster reports: make status"
            )

    def read(self) -> Mapping[str, Sample]:
        """See `Source.read`."""
        if not self._service:
            raise ValueError("read before begin")
        self._read(self._service)
        seconds = time.monotonic() - self._begun
        return {track.name: self._sample(track.revision.name, seconds) for track in self._service.tracks if track.name}

    def bounds(self) -> tuple[float, ...]:
        """See `Coarse.bounds`."""
        return envoy.WIDE_BOUNDS if self._buckets == envoy.DISJOINT else ()

    def close(self) -> None:
        """See `Source.close`: there is nothing to let go of."""

    def _read(self, service: Service) -> set[str]:
        """Read everything once; the revisions that the gateways know."""
        revisions = [track.revision.name for track in service.tracks]
        gateways = {pod: self._gateway(pod, service.namespace, revisions) for pod in self._pods.names(NAMESPACE, LABEL)}
        if not any(gateways.values()):
            raise AnalysisError(
                f"No pod of the gateway ({LABEL} in {NAMESPACE}) answers at its port {PORT}"
                + (
                    f", asked: {', '.join(gateways)}. To put back what is missing: {PUT_BACK}"
                    if gateways
                    else f"; there is none. Where this stack installed Kourier, put it back: {PUT_BACK}. With another "
                    "ingress this source has nothing to read: --source prometheus:<URL>, or probes"
                )
            )
        self._gateways.add(gateways)
        self._proxies.add(self._proxy_reading(service, revisions))
        return {revision for told in gateways.values() if told for revision in told}

    def _gateway(self, pod: str, namespace: str, revisions: list[str]) -> Mapping[str, Counted] | None:
        status, text = self._pods.get(NAMESPACE, pod, PORT, f"stats?{envoy.query(namespace, revisions, self._buckets)}")
        if status == 400 and envoy.knows_no_details(text) and self._buckets == envoy.DETAILED:
            self._buckets = envoy.DISJOINT
            return self._gateway(pod, namespace, revisions)
        return _understood(pod, text, envoy.counted) if status == 200 else None

    def _proxy_reading(self, service: Service, revisions: list[str]) -> Reading:
        pods = self._pods.names(service.namespace, f"{OWNER_LABEL}={service.name}")
        return {
            pod: self._proxy(service.namespace, pod, revision)
            for pod, revision in pods.items()
            if revision in revisions
        }

    def _proxy(self, namespace: str, pod: str, revision: str) -> Mapping[str, Counted] | None:
        status, text = self._pods.get(namespace, pod, queue_proxy.PORT, "metrics")
        return {revision: _understood(pod, text, queue_proxy.aside)} if status == 200 else None

    def _sample(self, revision: str, seconds: float) -> Sample:
        """What users sent: everything, less what came another way."""
        everything = self._gateways.totals.get(revision, Counted())
        aside = self._proxies.totals.get(revision, Counted())
        requests = max(0, everything.requests + everything.given_up - aside.requests)
        errors = min(requests, max(0, everything.errors + everything.given_up - aside.errors))
        return Sample(
            requests=requests,
            errors=errors,
            client_errors=min(requests - errors, max(0, everything.client_errors - aside.client_errors)),
            latency=everything.latency.without(aside.latency),
            seconds=seconds,
            notes=tuple(self._notes(revision, everything, aside)),
        )

    def _notes(self, revision: str, everything: Counted, aside: Counted) -> list[str]:
        notes = []
        if everything.given_up:
            notes.append(f"{everything.given_up} requests ended without any answer, given up by their clients: errors")
        if aside.requests:
            notes.append(f"{aside.requests} requests by a tag or of this tool are left out")
        if self._gateways.restarted or self._gateways.silent:
            pods = ", ".join(sorted(self._gateways.restarted | self._gateways.silent))
            notes.append(f"the gateway {pods} began anew or did not answer: some of its requests are not counted")
        if silent := sorted(pod for pod in self._proxies.silent if pod.startswith(f"{revision}-")):
            notes.append(f"{', '.join(silent)} did not say which requests came by a tag: they count as users'")
        if self._buckets == envoy.DISJOINT:
            notes.append("this Envoy tells latencies in wide buckets only")
        return notes


def _understood(pod: str, text: str, meaning: Callable[[str], _Meaning]) -> _Meaning:
    """What a pod's answer says. Raises AnalysisError where it is cut short, or something else."""
    try:
        return meaning(text)
    except (ValueError, KeyError, TypeError) as error:
        raise AnalysisError(f"The statistics of the pod {pod} cannot be read ({error!r}): {text[:80]!r}") from None

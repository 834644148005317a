"""Readings of what Kourier's Envoys and Knative's queue-proxies counted, and what of it came from users.

Read through the Kubernetes API, with the stack's own kubeconfig: nothing has to be installed or opened. What came by
a tag, and this tool's own requests, are taken off by what the queue-proxies say. A request that failed before a
queue-proxy saw it is a user's, as far as anybody can tell. Requests from inside the cluster pass the same Envoys, at
another listener, and are counted with the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from components.release.readiness import PUT_BACK
from status import StatusError
from status.counters import envoy, queue_proxy
from status.counters.counted import Counted, Reading, Tally

NAMESPACE, LABEL = "kourier-system", "app=3scale-kourier-gateway"
PORT = 9000
"""Where Kourier's bootstrap listens for `/stats`."""
AT_ONCE = 8
"""Queue-proxies that are asked at the same time."""
MOST_REVISIONS = 200
"""Revisions in one question: Envoy accepts 60 KiB of headers, the path included."""
_Meaning = TypeVar("_Meaning")


class NoGatewayError(StatusError):
    """The cluster has no gateway of Kourier's: another ingress, or it is gone."""


class Pods(Protocol):
    """The cluster's pods: `status.counters.pods`. Errors are StatusError."""

    def names(self, namespace: str, label: str) -> Mapping[str, str]:
        """The revision of each running pod with a label, by the pod's name; empty for a pod of none."""
        ...

    def get(self, namespace: str, pod: str, port: int, path: str) -> tuple[int, str]:
        """Status and body of an HTTP request to a pod; the API's own 5xx where the pod does not answer."""
        ...


@dataclass(frozen=True)
class Counters:
    """One reading: growing counts by pod and revision."""

    gateways: Reading
    """Everything, whatever way it came."""
    proxies: Reading
    """What did not come by a service's own URL."""

    @property
    def known(self) -> set[str]:
        """The revisions that a gateway knows."""
        return {revision for told in self.gateways.values() if told for revision in told}

    def of(self, revisions: Collection[str]) -> Counters:
        """The counts of some revisions alone."""
        return Counters(_only(self.gateways, revisions), _only(self.proxies, revisions))


def _only(reading: Reading, revisions: Collection[str]) -> Reading:
    return {
        pod: told if told is None else {name: told[name] for name in revisions if name in told}
        for pod, told in reading.items()
    }


class Reader:
    """Reads the counters of one cluster."""

    def __init__(self, pods: Pods, times: bool = True) -> None:
        """times: whether latencies are wanted too."""
        self._pods = pods
        self._buckets = envoy.DETAILED if times else envoy.NONE

    @property
    def coarse(self) -> bool:
        """Whether the gateways tell latencies in wide buckets only. After a reading."""
        return self._buckets == envoy.DISJOINT

    def read(self, namespace: str, revisions: Sequence[str], label: str) -> Counters:
        """What is counted of some revisions now. Raises StatusError, where there is no gateway NoGatewayError.

        label: selector of the revisions' pods.
        """
        names = self._pods.names(NAMESPACE, LABEL)
        gateways = {pod: self._gateway(pod, namespace, revisions) for pod in names}
        if not gateways:
            raise NoGatewayError(
                f"No pod of the gateway ({LABEL} in {NAMESPACE}) answers at its port {PORT}; there is none. "
                f"Where this stack installed Kourier, put it back: {PUT_BACK}."
            )
        if not any(gateways.values()):
            raise StatusError(
                f"No pod of the gateway ({LABEL} in {NAMESPACE}) answers at its port {PORT}, asked: "
                f"{', '.join(gateways)}. To put back what is missing: {PUT_BACK}"
            )
        pods = {pod: name for pod, name in self._pods.names(namespace, label).items() if name in set(revisions)}
        with ThreadPoolExecutor(AT_ONCE) as threads:
            told = threads.map(lambda pod: self._proxy(namespace, pod, pods[pod]), pods)
        return Counters(gateways, dict(zip(pods, told, strict=True)))

    def _gateway(self, pod: str, namespace: str, revisions: Sequence[str]) -> Mapping[str, Counted] | None:
        found: dict[str, Counted] = {}
        for first in range(0, len(revisions), MOST_REVISIONS):
            told = self._part(pod, namespace, revisions[first : first + MOST_REVISIONS])
            if told is None:
                return None
            found |= told
        return found

    def _part(self, pod: str, namespace: str, revisions: Sequence[str]) -> Mapping[str, Counted] | None:
        status, text = self._pods.get(NAMESPACE, pod, PORT, f"stats?{envoy.query(namespace, revisions, self._buckets)}")
        if status == 400 and envoy.knows_no_details(text) and self._buckets == envoy.DETAILED:
            self._buckets = envoy.DISJOINT
            return self._part(pod, namespace, revisions)
        return _understood(pod, text, envoy.counted) if status == 200 else None

    def _proxy(self, namespace: str, pod: str, revision: str) -> Mapping[str, Counted] | None:
        status, text = self._pods.get(namespace, pod, queue_proxy.PORT, "metrics")
        return {revision: _understood(pod, text, queue_proxy.aside)} if status == 200 else None


@dataclass
class Counting:
    """What came in of some revisions' requests, from the first reading to the last."""

    gateways: Tally = field(default_factory=Tally)
    proxies: Tally = field(default_factory=Tally)

    def add(self, counters: Counters) -> None:
        """Add a reading; the first one is where counting begins."""
        self.gateways.add(counters.gateways)
        self.proxies.add(counters.proxies)

    def users(self, revision: str) -> Counted:
        """What users sent: everything, less what came another way. Requests that were given up are errors."""
        everything, aside = self._of(revision)
        requests = max(0, everything.requests + everything.given_up - aside.requests)
        errors = min(requests, max(0, everything.errors + everything.given_up - aside.errors))
        return Counted(
            requests=requests,
            errors=errors,
            latency=everything.latency.without(aside.latency),
            client_errors=min(requests - errors, max(0, everything.client_errors - aside.client_errors)),
        )

    def notes(self, revision: str) -> list[str]:
        """What a reader of the numbers has to know, as sentences."""
        everything, aside = self._of(revision)
        notes = []
        if everything.given_up:
            notes.append(f"{everything.given_up} requests ended without any answer, given up by their clients: errors")
        if aside.requests:
            notes.append(f"{aside.requests} requests by a tag or of this tool are left out")
        if lost := sorted(self.gateways.restarted | self.gateways.silent):
            pods = ", ".join(lost)
            notes.append(f"the gateway {pods} began anew or did not answer: some of its requests are not counted")
        if silent := sorted(pod for pod in self.proxies.silent if pod.startswith(f"{revision}-")):
            notes.append(f"{', '.join(silent)} did not say which requests came by a tag: they count as users'")
        return notes

    def _of(self, revision: str) -> tuple[Counted, Counted]:
        return self.gateways.totals.get(revision, Counted()), self.proxies.totals.get(revision, Counted())


def _understood(pod: str, text: str, meaning: Callable[[str], _Meaning]) -> _Meaning:
    """What a pod's answer says. Raises StatusError where it is cut short, or something else."""
    try:
        return meaning(text)
    except (ValueError, KeyError, TypeError) as error:
        raise StatusError(f"The statistics of the pod {pod} cannot be read ({error!r}): {text[:80]!r}") from None

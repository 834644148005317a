"""The gateway's own metrics as a source: what `status.counters` reads, as samples of users' requests."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping

from analysis import AnalysisError
from analysis.model import Sample
from components.release.plan import OWNER_LABEL
from status import StatusError
from status.counters import envoy
from status.counters.pods import ClusterPods
from status.counters.reading import Counting, NoGatewayError, Pods, Reader
from status.model import Service


class Gateway:
    """`analysis.model.Source` over the gateway's statistics."""

    name = "gateway"

    def __init__(self, pods: Pods) -> None:
        self._reader = Reader(pods)
        self._service: Service | None = None

    def begin(self, service: Service) -> None:
        """See `Source.begin`."""
        self._service = service
        self._counting, self._begun = Counting(), time.monotonic()
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
        return envoy.WIDE_BOUNDS if self._reader.coarse else ()

    def close(self) -> None:
        """See `Source.close`: there is nothing to let go of."""

    def _read(self, service: Service) -> set[str]:
        """Read everything once; the revisions that the gateways know."""
        revisions = [track.revision.name for track in service.tracks]
        with _as_of_an_analysis():
            counters = self._reader.read(service.namespace, revisions, f"{OWNER_LABEL}={service.name}")
        self._counting.add(counters)
        return counters.known

    def _sample(self, revision: str, seconds: float) -> Sample:
        users, notes = self._counting.users(revision), self._counting.notes(revision)
        if self._reader.coarse:
            notes.append("this Envoy tells latencies in wide buckets only")
        return Sample(
            requests=users.requests,
            errors=users.errors,
            client_errors=users.client_errors,
            latency=users.latency,
            seconds=seconds,
            notes=tuple(notes),
        )


def of_cluster(kubeconfig: str, cluster: str) -> Gateway:
    """The source for a cluster. Raises AnalysisError where the kubeconfig is of no use."""
    with _as_of_an_analysis():
        return Gateway(ClusterPods(kubeconfig, cluster))


@contextlib.contextmanager
def _as_of_an_analysis() -> Iterator[None]:
    """Reading counters: what goes wrong is an AnalysisError that says what to do."""
    try:
        yield
    except NoGatewayError as error:
        raise AnalysisError(
            f"{error} With another ingress this source has nothing to read: --source prometheus:<URL>, or probes"
        ) from None
    except StatusError as error:
        raise AnalysisError(str(error)) from None

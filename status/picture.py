"""The whole picture of a stack's releases: what is wanted, reported and observed, put together."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from status import cluster, wanted
from status.counters.pods import ClusterPods
from status.gateway import Gateway
from status.model import Sample, Service, Status
from status.observed import sample, why_not, with_observed
from status.reported import with_reported
from toolchain.state import Checkout, environment

AT_ONCE = 8
"""Services that are asked at the same time."""


class Pictures:
    """Pictures of one stack, one after the other: what the gateway counts is counted on from the first."""

    def __init__(
        self, stack: str, environ: Mapping[str, str], requests: int, seconds: float, watching: bool = False
    ) -> None:
        """
        requests: to each service that has an info path; 0: none is asked.
        seconds: between two readings of the gateway's counters, for the services without one; 0: they are not read.
            Watching, there is one reading for each picture.
        """
        self._stack, self._environ, self._watching = stack, environ, watching
        self._requests, self._seconds = requests, seconds
        self._gateway: tuple[str, Gateway] | None = None

    def read(self) -> Status:
        """The next picture. Raises StatusError."""
        checkout = Checkout(Path(__file__).resolve().parents[1])
        said = wanted.read(self._stack, checkout.root, environment(checkout, self._environ))
        objects = {
            namespace: cluster.read(said.kubeconfig, namespace, said.status.cluster)
            for namespace in {service.namespace for service in said.status.services}
        }
        services = [with_reported(service, objects[service.namespace]) for service in said.status.services]
        others = [service for service in services if not service.asked] if self._seconds else []
        gateway = self._of(said) if others else None
        begun = time.monotonic()
        counted = gateway.read(others) if gateway else []
        asked = self._sampled([service for service in services if service.asked])
        if gateway and not self._watching and not all(each.counts and each.counts.skipped for each in counted):
            time.sleep(max(0.0, self._seconds - (time.monotonic() - begun)))
            counted = gateway.read(others)
        observed = {service.name: service for service in (*services, *asked, *counted)}
        return dataclasses.replace(said.status, services=tuple(observed.values()))

    def _of(self, said: wanted.Wanted) -> Gateway:
        """The gateway of a cluster: the one of before, unless it is another cluster by now."""
        if not self._gateway or self._gateway[0] != said.kubeconfig:
            self._gateway = said.kubeconfig, Gateway(ClusterPods(said.kubeconfig, said.status.cluster))
        return self._gateway[1]

    def _sampled(self, services: Sequence[Service]) -> list[Service]:
        if not self._requests:
            return list(services)
        ask = functools.partial(_sampled, requests=self._requests, watching=self._watching)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(ask, services))


def _sampled(service: Service, requests: int, watching: bool) -> Service:
    skipped = why_not(service, watching)
    if skipped or service.info_path is None:
        return with_observed(service, Sample(skipped=skipped))
    return with_observed(service, sample(service, service.info_path, requests))

"""The whole picture of a stack's releases: what is wanted, reported and observed, put together."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from status import cluster, wanted
from status.model import Sample, Service, Status
from status.observed import sample, why_not, with_observed
from status.reported import with_reported
from toolchain.state import Checkout, environment

AT_ONCE = 16
"""Services that are asked at the same time."""
NO_PATH = "its manifest names no path that tells which pod answers (annotation knative-releases/info-path)"


def read(stack: str, environ: Mapping[str, str], requests: int, watching: bool = False) -> Status:
    """The releases of a stack: wanted, reported and, unless `requests` is 0, observed. Raises StatusError."""
    checkout = Checkout(Path(__file__).resolve().parents[1])
    said = wanted.read(stack, checkout.root, environment(checkout, environ))
    objects = {
        namespace: cluster.read(said.kubeconfig, namespace, said.status.cluster)
        for namespace in {service.namespace for service in said.status.services}
    }
    services = [with_reported(service, objects[service.namespace]) for service in said.status.services]
    if requests and services:
        ask = functools.partial(_observed, requests=requests, watching=watching)
        with ThreadPoolExecutor(max_workers=min(len(services), AT_ONCE)) as threads:
            services = list(threads.map(ask, services))
    return dataclasses.replace(said.status, services=tuple(services))


def _observed(service: Service, requests: int, watching: bool) -> Service:
    skipped, path = why_not(service, watching), service.info_path
    taken = sample(service, path, requests) if path and not skipped else Sample(skipped=skipped or NO_PATH)
    return with_observed(service, taken)

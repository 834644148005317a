"""What requests observe: a bounded sample to a service's URL, and whether it fits the wanted shares.

The ingress is asked by Host header at its address, so no name has to resolve where that is known. Each request is sent
once, on a connection of its own, and never retried; a failed one counts as that. Each carries an unknown tag, by which
it takes the service's own way and is nobody's traffic to a rollout (`status.counters.queue_proxy`).
"""

from __future__ import annotations

import collections
import dataclasses
import http.client
import json
import math
import ssl
import time

from components.release.plan import TAG_HEADER
from status.model import Sample, Service

FALSE_ALARM = 1e-4
"""Probability that a right share is told as a wrong one, for one number."""
OWN_TAG = "knative-releases-probe"
"""Marks a request of this tool's own."""
REQUEST_SECONDS = 5.0
SAMPLE_SECONDS = 10.0
"""After this no further request is sent: a service that hangs holds nobody up."""


def why_not(service: Service, watching: bool) -> str | None:
    """Why a service is not asked: the sample must not start a pod, nor keep one up for good. None: it may be."""
    if not any(track.reported for track in service.tracks):
        return "the cluster reports no share"
    for track in service.tracks:
        if track.reported and not track.revision.living:
            return f"{track.revision.name} has no pods, and a request would start one"
        if track.reported and watching and not track.revision.min_scale:
            return "it scales to zero, and watching would keep it up"
    return None


def sample(service: Service, path: str, requests: int) -> Sample:
    """Send a number of requests to a service.

    path: answers JSON with the pod's name (`podName`).
    """
    pods: collections.Counter[str] = collections.Counter()
    failures: collections.Counter[str] = collections.Counter()
    end = time.monotonic() + SAMPLE_SECONDS
    for _ in range(requests):
        if time.monotonic() > end:
            break
        try:
            pods[answering_pod(service, service.host, path)] += 1
        except FailedError as failed:
            failures[str(failed)] += 1
    return Sample(sent=pods.total() + failures.total(), failures=dict(failures), pods=dict(pods))


def with_observed(service: Service, taken: Sample) -> Service:
    """A service with what a sample observed of its tracks. Pure."""
    if not taken.answered:
        return dataclasses.replace(service, sample=taken)
    revisions = {pod.name: track.revision.name for track in service.tracks for pod in track.revision.pods}
    counts: collections.Counter[str] = collections.Counter()
    for pod, number in taken.pods.items():
        # A pod that began since the cluster was asked: its name begins with the revision's, if that is not too long.
        known = (t.revision.name for t in service.tracks if pod.startswith(f"{t.revision.name}-"))
        counts[revisions.get(pod) or next(known, "")] += number
    tracks = tuple(
        dataclasses.replace(
            track,
            observed=counts[track.revision.name],
            fits=fits(counts[track.revision.name], taken.answered, track.wanted or 0),
        )
        for track in service.tracks
    )
    return dataclasses.replace(service, sample=taken, tracks=tracks)


def fits(seen: int, total: int, percent: int) -> bool:
    """Whether a number of requests can come from a share: neither tail of the binomial distribution is too thin.

    0 and 100 percent are exact. Pure.
    """
    if percent in (0, 100):
        return seen == total * percent // 100
    if seen * 100 > total * percent:  # the upper tail is the lower one of those that went elsewhere
        return fits(total - seen, total, 100 - percent)
    # The other tail has about one half at least. This one's terms shrink from `seen` down to 0.
    share, ways = percent / 100, math.lgamma(total + 1) - math.lgamma(seen + 1) - math.lgamma(total - seen + 1)
    term = math.exp(ways + seen * math.log(share) + (total - seen) * math.log1p(-share))
    tail = 0.0
    for k in range(seen, -1, -1):
        tail += term
        if tail > FALSE_ALARM / 2:
            return True
        term *= k / (total - k + 1) * (1 - share) / share
        if term < tail * 1e-9:
            break
    return False


class FailedError(Exception):
    """A request failed; the message says what came back."""


def reply(service: Service, host: str, path: str) -> tuple[int, bytes]:
    """Status and body of one request to a service's ingress, marked as this tool's own.

    host: of the service's own URL, or of a tag's.

    Raises FailedError when nobody answers.
    """
    connection = _connection(service, host)
    try:
        connection.request("GET", path, headers={"Host": host, TAG_HEADER: OWN_TAG})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise FailedError(str(error) or type(error).__name__) from None
    finally:
        connection.close()


def answering_pod(service: Service, host: str, path: str) -> str:
    """The pod that answers such a request. Raises FailedError when none does."""
    status, body = reply(service, host, path)
    if status != 200:
        raise FailedError(f"status {status}")
    try:
        return str(json.loads(body)["podName"])
    except (ValueError, KeyError, TypeError):
        raise FailedError("an answer without a pod's name") from None


def _connection(service: Service, host: str) -> http.client.HTTPConnection:
    """A connection to a service's ingress, not made yet."""
    address = service.address or host
    if service.encrypted:
        return _EncryptedConnection(address, service.port, host)
    return http.client.HTTPConnection(address, service.port, timeout=REQUEST_SECONDS)


class _EncryptedConnection(http.client.HTTPConnection):
    """TLS to an address with the certificate of a host, which need not resolve."""

    def __init__(self, address: str, port: int, host: str) -> None:
        super().__init__(address, port, timeout=REQUEST_SECONDS)
        self._certified = host

    def connect(self) -> None:
        """Connect, and check the certificate."""
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self._certified)

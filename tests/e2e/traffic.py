"""Requests to a service as users send them, and what they show: shares, losses, latency."""

from __future__ import annotations

import collections
import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from scipy.stats import binom

from tests.conference import SERVICES

FALSE_ALARM = 1e-6
"""Probability that a correct share falls outside its window, for one window."""


@dataclass(frozen=True)
class Answer:
    """One response of a service."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Requests to the ingress by Host header, so that no name has to resolve."""

    port: int
    domain: str = "127.0.0.1.sslip.io"
    seconds: float = 60
    address: str = "127.0.0.1"

    def host(self, service: str) -> str:
        """Host of a service, or of a tag's URL (`<tag>-<service>`); `<name>.<namespace>` where that is not default."""
        return f"{service if '.' in service else f'{service}.default'}.{self.domain}"

    def request(
        self,
        service: str,
        path: str,
        method: str = "GET",
        body: Any = None,
        headers: dict[str, str] | None = None,
        connection: http.client.HTTPConnection | None = None,
    ) -> Answer:
        """Send one request, never retried. Errors of the connection pass through."""
        used = connection or http.client.HTTPConnection(self.address, self.port, timeout=self.seconds)
        try:
            data = None if body is None else json.dumps(body)
            used.request(
                method, path, data, {"Host": self.host(service), "Content-Type": "application/json", **(headers or {})}
            )
            response = used.getresponse()
            return Answer(response.status, response.read())
        finally:
            if connection is None:
                used.close()

    def version(self, service: str, **arguments: Any) -> str:
        """The version that a service's info names."""
        answer = self.request(service, info_path(service), **arguments)
        assert answer.status == 200, f"{service} answered {answer.status}: {answer.body[:200]!r}"
        version: str = answer.json()["version"]
        return version


def info_path(host: str) -> str:
    """Path of the info of a service, or of a tag's URL (`<tag>-<service>`)."""
    return next(d.info_path or "/" for name, d in SERVICES.items() if host == name or host.endswith(f"-{name}"))


def observed(client: Client, service: str, requests: int) -> dict[str, int]:
    """How many of a number of requests each version answered."""
    return dict(collections.Counter(client.version(service) for _ in range(requests)))


def assert_share(counts: dict[str, int], version: str, percent: int) -> None:
    """The count of a version lies in the exact binomial window of its share; 0 and 100 percent are exact."""
    total, seen = sum(counts.values()), counts.get(version, 0)
    low, high = (
        (int(x) for x in binom.interval(1 - FALSE_ALARM, total, percent / 100))
        if 0 < percent < 100
        else (total * percent // 100, total * percent // 100)
    )
    assert low <= seen <= high, f"{version} answered {seen} of {total}; {percent} % allows {low} to {high} ({counts})"


@dataclass(frozen=True)
class Probe:
    """One request of a prober and what came back."""

    begun: float
    """`time.monotonic()` when it was sent."""
    seconds: float
    kept_alive: bool
    pod: str = ""
    """Name of the pod that answered, which begins with its revision's name; of any other path what it answered."""
    failure: str = ""
    """What came back instead of an answer."""


@dataclass
class Prober:
    """Constant load on a service or a tag's URL by fresh and by kept-alive connections. It never retries: each failure
    counts as lost.
    """

    client: Client
    service: str
    """Name of the service, or `<tag>-<service>`."""
    workers: int = 4
    """Connections at once; every other one is kept alive."""
    pause: float = 0.01
    """Seconds between a worker's requests."""
    path: str | None = None
    """What is asked for; None: the info of a service of the conference application."""
    probes: list[Probe] = field(default_factory=list)
    """All requests that came to an end, in the order of their ends."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Prober:
        self._threads = [
            threading.Thread(target=self._probe, args=(worker % 2 == 0,)) for worker in range(self.workers)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _probe(self, keep_alive: bool) -> None:
        connection = self._connection() if keep_alive else None
        try:
            while not self._stop.is_set():
                self.probes.append(self._sent(connection))
                time.sleep(self.pause)
        finally:
            if connection:
                connection.close()

    def _sent(self, connection: http.client.HTTPConnection | None) -> Probe:
        begun, pod, failure = time.monotonic(), "", ""
        try:
            path = self.path or info_path(self.service)
            answer = self.client.request(self.service, path, connection=connection)
            if answer.status == 200:
                pod = answer.body.decode() if self.path else str(answer.json()["podName"])
            else:
                failure = f"status {answer.status}: {answer.body[:100]!r}"
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            failure = repr(error)
            if connection:
                connection.close()  # the next request opens it anew
        if failure:
            kind = "kept-alive" if connection else "fresh"
            failure = f"{time.strftime('%H:%M:%S')} {self.service}, {kind} connection: {failure}"
        return Probe(begun, time.monotonic() - begun, connection is not None, pod, failure)

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.client.address, self.client.port, timeout=self.client.seconds)

    @property
    def sent(self) -> int:
        """Requests that came to an end."""
        return len(self.probes)

    @property
    def lost(self) -> list[str]:
        """The requests that were not answered with 200: when, by which connection, and what came back."""
        return [probe.failure for probe in self.probes if probe.failure]

    @property
    def worst_seconds(self) -> float:
        """Longest time from a request to its answer."""
        return max((probe.seconds for probe in self.probes), default=0.0)

    def assert_nothing_lost(self) -> None:
        """Requests were sent, and each was answered with 200."""
        assert self.sent > 0, "the prober sent nothing"
        assert not self.lost, f"{len(self.lost)} of {self.sent} requests lost: {self.lost[:10]}"

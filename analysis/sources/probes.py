"""This tool's own probes: a bounded number of requests for each track, so that a version without traffic can be judged.

A track with a tag is asked at the tag's URL, so that a failure is surely its own. One without is asked at the service's
URL, where the shares decide who answers: an answer of a track with a tag does not count there, since its failures
there are nobody's. Either way the gateway's numbers leave them out: these requests carry an
unknown tag (`status.counters.queue_proxy`).

A service that names no path has no answer that says which pod gave it. While each track is known by the URL that is
asked, its first page serves: every status below 500 is an answer, since a service may well have no page there, or one
that needs a login; what the candidate answers with 400 to 499 is compared with stable.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from analysis import AnalysisError
from analysis.model import Sample
from status.counters.histogram import Histogram
from status.model import Service, Track, host_of
from status.observed import FailedError, answering_pod, reply

RATE = 10.0
"""Probes of each track in a second, at most; fewer when `read` is called seldom or the answers are slow."""
MOST = 2000
"""Probes of each track in a window, at most."""
BURST_SECONDS = 2.0
"""After this a `read` sends no more."""
AT_ONCE = 4
PAGE = "/"
"""What is asked of a service without an info path."""


@dataclass(frozen=True)
class _Answer:
    track: str | None
    """The track that answered, or failed; None: nobody knows."""
    milliseconds: float
    failed: bool
    client_error: bool = False


@dataclass
class _Window:
    service: Service
    begun: float
    sent: int = 0
    """To each track."""
    answers: list[_Answer] = field(default_factory=list)


class Probes:
    """`analysis.model.Source` over requests of its own, sent while `read` runs."""

    name = "probes"

    def __init__(self, path: str | None, rate: float = RATE, most: int = MOST) -> None:
        """
        path: answers JSON with the pod's name (`podName`); None: there is none, and `PAGE` is asked of the tracks that
            a URL tells apart: those with a tag, and one with all requests.
        rate: probes of each track in a second, above 0.
        most: probes of each track in a window.
        """
        self._path, self._rate, self._most = path, rate, most
        self._window: _Window | None = None

    def begin(self, service: Service) -> None:
        """See `Source.begin`."""
        self._window = _Window(service, time.monotonic())
        self.read()
        if not any(not answer.failed for answer in self._window.answers):
            place = f"{service.address or service.host}:{service.port}"
            raise AnalysisError(
                f"Not one probe of {service.name} was answered at {place} (path {self._path or PAGE}). "
                "What the cluster reports: make status"
            )

    def read(self) -> Mapping[str, Sample]:
        """See `Source.read`: sends the probes that are due."""
        window = self._window
        if not window:
            raise ValueError("read before begin")
        end = time.monotonic() + BURST_SECONDS
        with ThreadPoolExecutor(AT_ONCE) as threads:
            while window.sent < min(self._most, 1 + (time.monotonic() - window.begun) * self._rate):
                window.sent += 1
                asked = [track for track in window.service.tracks if self._tells(track)]
                answers = [threads.submit(self._probe, window.service, track) for track in asked]
                window.answers += [answer for each in answers if (answer := each.result())]
                if time.monotonic() > end:
                    break
        return _samples(window, self._path)

    def close(self) -> None:
        """See `Source.close`: no connection outlives its request."""

    def _tells(self, track: Track) -> bool:
        """Whether an answer at the track's URL may be its own."""
        return bool(track.url or track.wanted == 100 or (track.wanted and self._path))

    def _probe(self, service: Service, track: Track) -> _Answer | None:
        """None: it was answered by a track that is asked at a URL of its own."""
        host = host_of(track.url) if track.url else service.host
        own = track.name if track.url or track.wanted == 100 else None
        begun = time.monotonic()
        if self._path is None:
            return _page(service, host, own)
        try:
            pod = answering_pod(service, host, self._path)
        except FailedError:
            return _Answer(own, _since(begun), True)
        took = _since(begun)
        if own:
            return _Answer(own, took, False)
        answered = next((t for t in service.tracks if pod.startswith(f"{t.revision.name}-")), None)
        if answered and answered.url:
            return None
        return _Answer(answered.name if answered else None, took, False)


def _page(service: Service, host: str, track: str | None) -> _Answer:
    begun = time.monotonic()
    try:
        status, _ = reply(service, host, PAGE)
    except FailedError:
        status = 503
    return _Answer(track, _since(begun), status >= 500, 400 <= status < 500)


def _since(begun: float) -> float:
    """Milliseconds since a moment of the monotonic clock."""
    return (time.monotonic() - begun) * 1000


def _samples(window: _Window, path: str | None) -> Mapping[str, Sample]:
    by_track: defaultdict[str | None, list[_Answer]] = defaultdict(list)
    for answer in window.answers:
        by_track[answer.track].append(answer)
    seconds = time.monotonic() - window.begun
    lost = len(by_track[None])
    notes = [f"the page {PAGE} was asked for: any status below 500 is an answer"] if path is None else []
    if lost:
        notes.append(f"{lost} probes of the service's URL failed, or were answered by a pod of no track: nobody's")
    return {
        track.name: Sample(
            requests=len(by_track[track.name]),
            errors=sum(each.failed for each in by_track[track.name]),
            client_errors=sum(each.client_error for each in by_track[track.name]),
            latency=Histogram.of(round(each.milliseconds, 1) for each in by_track[track.name] if not each.failed),
            origin="probe",
            seconds=seconds,
            notes=tuple(notes),
        )
        for track in window.service.tracks
        if track.name
    }

"""What the ingress gateway observes: users' requests to each track since the first reading. Nothing is sent, so no pod
is started or kept up by it.
"""

from __future__ import annotations

import dataclasses
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from components.release.plan import OWNER_LABEL
from status import StatusError
from status.counters.reading import Counters, Counting, NoGatewayError, Pods, Reader
from status.model import Counts, Service
from status.observed import fits

RIGHTS = "which rights that takes: docs/rights.md (knative-releases-measure)"


@dataclass
class _Window:
    """The readings of one service between two changes of its shares."""

    shares: object
    begun: float
    counting: Counting = field(default_factory=Counting)
    settles: bool = False
    """Whether the shares have just changed: requests that were under way then still end at the revisions of before."""


class Gateway:
    """Reads the gateway's counters for services, and knows what they were before."""

    def __init__(self, pods: Pods, clock: Callable[[], float] = time.monotonic) -> None:
        self._reader, self._clock = Reader(pods, times=False), clock
        self._windows: dict[tuple[str, str], _Window] = {}

    def read(self, services: Sequence[Service]) -> list[Service]:
        """The services, each with what came in since its first reading, or since its shares changed. One without
        numbers says why: nothing here is an error.
        """
        by_namespace: defaultdict[str, list[Service]] = defaultdict(list)
        for service in services:
            by_namespace[service.namespace].append(service)
        found: dict[str, Counters | str] = {}
        for namespace, inside in by_namespace.items():
            revisions = [track.revision.name for service in inside for track in service.tracks]
            try:
                found[namespace] = self._reader.read(namespace, revisions, OWNER_LABEL)
            except NoGatewayError as error:
                found[namespace] = f"{error} Services behind another ingress are not observed"
            except StatusError as error:
                found[namespace] = f"{error} ({RIGHTS})" if "may not" in str(error) else str(error)
        return [self._with_counts(service, found[service.namespace]) for service in services]

    def _with_counts(self, service: Service, counters: Counters | str) -> Service:
        if isinstance(counters, str):
            return dataclasses.replace(service, counts=Counts(skipped=counters))
        lost = [t.revision.name for t in service.tracks if t.reported and t.revision.name not in counters.known]
        if lost or not any(track.reported for track in service.tracks):
            why = (
                f"the gateway does not know {', '.join(lost)}: another ingress serves {service.name}, or it is new"
                if lost
                else "the cluster reports no share"
            )
            return dataclasses.replace(service, counts=Counts(skipped=why))
        window = self._window(service)
        window.counting.add(counters.of([track.revision.name for track in service.tracks]))
        return _counted(service, window, self._clock() - window.begun)

    def _window(self, service: Service) -> _Window:
        key = service.namespace, service.name
        shares = service.ready, tuple((t.revision.name, t.wanted, t.reported) for t in service.tracks)
        known = self._windows.get(key)
        if not known or known.shares != shares or known.settles:
            settles = known is not None and known.shares != shares
            self._windows[key] = _Window(shares, self._clock(), settles=settles)
        return self._windows[key]


def _counted(service: Service, window: _Window, seconds: float) -> Service:
    users = [window.counting.users(track.revision.name) for track in service.tracks]
    requests = sum(each.requests for each in users)
    notes = [note for track in service.tracks for note in window.counting.notes(track.revision.name)]
    tracks = tuple(
        dataclasses.replace(
            track,
            observed=each.requests,
            failed=each.errors,
            fits=fits(each.requests, requests, track.wanted or 0) if requests else None,
        )
        for track, each in zip(service.tracks, users, strict=True)
    )
    counts = Counts(
        seconds=round(seconds, 1),
        requests=requests,
        failed=sum(each.errors for each in users),
        client_errors=sum(each.client_errors for each in users),
        notes=tuple(dict.fromkeys(notes)),
    )
    return dataclasses.replace(service, tracks=tracks, counts=counts)

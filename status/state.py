"""How a service is, in one word. Pure."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from status.model import Service, Status

State = Literal["well", "impaired", "failing", "waiting"]
"""`well`: ready, and nothing that is shown of it is wrong. `impaired`: ready, and something is wrong. `failing`: not
ready, or every observed request failed. `waiting`: the cluster does not say yet.
"""


def state(service: Service) -> State:
    """How a service is, by all that is known of it."""
    if service.ready is False or _all_failed(service):
        return "failing"
    if service.ready is None:
        return "waiting"
    return "impaired" if _impaired(service) else "well"


def document(status: Status) -> dict[str, Any]:
    """The status as a script gets it: the values of `status.model`, and each service's state."""
    found = dataclasses.asdict(status)
    for service, told in zip(status.services, found["services"], strict=True):
        told["state"] = state(service)
    return found


def _all_failed(service: Service) -> bool:
    sample, counts = service.sample, service.counts
    sampled = sample is not None and sample.sent > 0 and not sample.answered
    return sampled or (counts is not None and 0 < counts.requests == counts.failed)


def _impaired(service: Service) -> bool:
    sample, counts = service.sample, service.counts
    observed = sum(track.observed or 0 for track in service.tracks)
    return bool(
        service.problems
        or any(track.fits is False or (track.reported or 0) != (track.wanted or 0) for track in service.tracks)
        or (sample and (sample.failures or sample.answered != observed))
        or (counts and (counts.failed or 0 < counts.requests == counts.client_errors))
    )

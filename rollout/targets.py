"""Which resources an update of a rollout may change: those of its own service, and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from components.release.plan import configuration_name
from settings.problems import PROJECT
from settings.rollouts import CANDIDATE

_RELEASED = "knative-releases:index:ConferenceApplication$knative-releases:index:ReleasedService"
_KNATIVE = f"{_RELEASED}$kubernetes:serving.knative.dev/v1"
_GUARD = "knative-releases:index:ExistingCluster$command:local:Command::cluster-guard"
"""Depends on every service, on a cluster that the program did not make. What something depends on that an update does
not name, Pulumi leaves in the cluster without an error.
"""


def targets(stack: str, service: str, tracks: Iterable[str]) -> list[str]:
    """What `pulumi up --target` is given: the service's component, its Knative Service, and a Configuration for each
    track, whether that is to be made, changed or deleted.

    stack: its name, with or without organization and project.
    tracks: every track beside stable that the service has, had, or will have; the candidate is added.

    The engine refuses a target that it has never heard of, unless it is a pattern. So each has a `*` where it matches
    nothing: a state holds one stack.
    """
    names = sorted({*tracks, CANDIDATE} - {"stable"})
    wanted = [
        f"{_RELEASED}::{service}",
        f"{_KNATIVE}:Service::{service}",
        *(f"{_KNATIVE}:Configuration::{configuration_name(service, track)}" for track in names),
        _GUARD,
    ]
    return [f"urn:pulumi:{stack.rpartition('/')[2]}*::{PROJECT}::{each}" for each in wanted]

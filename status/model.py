"""The releases of a stack as plain values: service, track, revision, pods. Pure; each stage of reading fills its own
fields, so that anything that knows a part of it can have it rendered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, kw_only=True)
class Pod:
    """One pod of a revision."""

    name: str
    ready: bool
    state: str
    """`running`, `starting`, `ending`, or why it is none of these (`ImagePullBackOff`, `Unschedulable`, …)."""
    restarts: int = 0


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One revision, as the cluster has it."""

    name: str
    ready: bool | None = None
    """None: the cluster does not have it, does not know yet, or was not asked."""
    created: datetime | None = None
    min_scale: int = 0
    """Pods kept when there are no requests; 0: it scales to zero."""
    pods: tuple[Pod, ...] = ()

    @property
    def living(self) -> tuple[Pod, ...]:
        """The pods that are not ending."""
        return tuple(pod for pod in self.pods if pod.state != "ending")


@dataclass(frozen=True, kw_only=True)
class Track:
    """One version of a service, and its shares in percent."""

    name: str | None
    """`stable`, or the track's name; None: a revision that is there, but that the stack's outputs do not name."""
    revision: Revision
    version: str | None = None
    wanted: int | None = None
    """What the stack's outputs say."""
    reported: int | None = None
    """What the Knative Service's status says; None: nothing."""
    observed: int | None = None
    """Requests that it answered: of the sample, else of users, as the gateway counted them; None: there was none."""
    fits: bool | None = None
    """Whether the observed number can come from the wanted share."""
    failed: int | None = None
    """Users' requests that failed, out of the observed; None: nobody knows whose the failures of a sample are."""
    tag: str | None = None
    url: str | None = None
    """URL of the tag."""
    header: str | None = None
    """Request header that chooses the tag at the service's URL."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Requests that were sent to a service's URL, once each."""

    sent: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    """How many failed, by what came back."""
    pods: Mapping[str, int] = field(default_factory=dict)
    """How many each pod answered, by its name."""
    skipped: str | None = None
    """Why nothing was sent."""

    @property
    def answered(self) -> int:
        """Requests that a pod answered."""
        return sum(self.pods.values())


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Users' requests to a service, as the ingress gateway counted them between two readings. Nothing was sent."""

    seconds: float = 0.0
    """From the first reading to the last."""
    requests: int = 0
    failed: int = 0
    """Those with a status of 500 or more, or given up by their clients without an answer."""
    client_errors: int = 0
    """Those with a status of 400 to 499; none of them is among the failed."""
    notes: tuple[str, ...] = ()
    """What a reader of the numbers has to know, as sentences."""
    skipped: str | None = None
    """Why nothing was counted."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service and its tracks, stable first."""

    name: str
    url: str
    namespace: str = DEFAULT_NAMESPACE
    info_path: str | None = None
    """Path that answers with the pod's name as JSON; None: nobody knows one."""
    cluster_local: bool = False
    """Whether it is reached from inside the cluster alone."""
    address: str | None = None
    """IP address or host name of the ingress, asked by Host header; None: the hosts of its URLs resolve."""
    tracks: tuple[Track, ...] = ()
    ready: bool | None = None
    sample: Sample | None = None
    """What was asked of its info path; None: it was not to be asked."""
    counts: Counts | None = None
    """What the gateway counted; None: it was not to be read."""
    problems: tuple[str, ...] = ()
    """What is not as it should be, in the cluster's own words."""

    @property
    def asked(self) -> bool:
        """Whether its observed numbers come from requests that status sends; else they are the gateway's."""
        return self.info_path is not None and not self.cluster_local

    @property
    def host(self) -> str:
        """Host of its URL, without the port."""
        return host_of(self.url)

    @property
    def encrypted(self) -> bool:
        """Whether it is asked by https."""
        return urlsplit(self.url).scheme == "https"

    @property
    def port(self) -> int:
        """Port of its URL."""
        return urlsplit(self.url).port or (443 if self.encrypted else 80)


@dataclass(frozen=True, kw_only=True)
class Status:
    """The releases of one stack."""

    stack: str
    cluster: str
    services: tuple[Service, ...] = ()


def host_of(url: str) -> str:
    """Host of a URL, without the port."""
    return urlsplit(url).hostname or ""

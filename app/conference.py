"""The conference application on Knative: every service with its tracks, as the settings say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from app.services import SERVICES, ServiceDefinition, environment, topic_variable
from components.known_revisions import KnownRevisions
from components.objects import Placement
from components.released_service import ReleasedService, ReleasedServiceArgs, TrackArgs
from components.revision import RevisionArgs
from settings import Service, Stable, Track

NAMESPACE = "default"


@dataclass(frozen=True, kw_only=True)
class ConferenceApplicationArgs:
    """The services' settings, and what they run on."""

    services: Mapping[str, Service]
    domain: pulumi.Input[str]
    http_port: int
    ready_within: str
    """Limit for each released object to become ready."""
    topic: str
    """Kafka topic of the events."""
    image: Callable[[str], str]
    """Redirection of an image reference."""
    needs: Mapping[str, Sequence[pulumi.Resource]]
    """What must be there before a service starts, by service name: stores, gateway, control plane."""
    placement: Placement = Placement()
    urls_of_the_cluster: bool = False
    """See `components.released_service.ReleasedServiceArgs`."""


class ConferenceApplication(pulumi.ComponentResource):
    """Frontend, call for proposals, agenda and notifications."""

    releases: pulumi.Output[dict[str, Any]]
    """For each service its URL and tracks, as ReleasedService describes them."""

    def __init__(self, name: str, args: ConferenceApplicationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("knative-releases:index:ConferenceApplication", name, None, opts)
        known = KnownRevisions(args.placement.kubeconfig)
        services = {service: self._service(service, args, known) for service in SERVICES}
        self.releases = pulumi.Output.all(**{service: released.release for service, released in services.items()})
        self.register_outputs({"releases": self.releases})

    def _service(self, name: str, args: ConferenceApplicationArgs, known: KnownRevisions) -> ReleasedService:
        opts = pulumi.ResourceOptions(parent=self, depends_on=args.needs[name])
        return ReleasedService(name, service_args(name, args, known), opts)


def service_args(name: str, args: ConferenceApplicationArgs, known: KnownRevisions) -> ReleasedServiceArgs:
    """A service's settings as the arguments of its release. Pure."""
    definition, service = SERVICES[name], args.services[name]
    return ReleasedServiceArgs(
        service_name=name,
        namespace=NAMESPACE,
        domain=args.domain,
        http_port=args.http_port,
        ready_within=args.ready_within,
        stable=TrackArgs(revision=_revision(definition, service.stable, None, args), tag=service.stable.tag),
        tracks={
            track: TrackArgs(
                revision=_revision(definition, version, track, args), percent=version.percent, tag=version.tag
            )
            for track, version in service.deployed_tracks.items()
        },
        placement=args.placement,
        known=known,
        urls_of_the_cluster=args.urls_of_the_cluster,
    )


def _revision(
    definition: ServiceDefinition, version: Stable | Track, track: str | None, args: ConferenceApplicationArgs
) -> RevisionArgs:
    separator = "@" if version.version.startswith("sha256:") else ":"
    return RevisionArgs(
        image=args.image(f"{definition.repository}{separator}{version.version}"),
        version=version.version,
        env=environment(definition, track, {**topic_variable(args.topic), **version.env}),
        min_scale=definition.min_scale if version.min_scale is None else version.min_scale,
        max_scale=version.max_scale,
        initial_scale=version.initial_scale,
        concurrency=version.concurrency,
        cpu=version.cpu,
        memory=version.memory,
        restart=version.restart,
    )

"""The services of a stack on Knative, each with its tracks, as the settings say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.cluster.objects import Placement, register
from components.manifests import Manifest, own
from components.release.known_revisions import KnownRevisions
from components.release.plan import ReleasedServiceArgs, TrackArgs
from components.release.readiness import error_hook
from components.release.released_service import ReleasedService
from components.release.revision import RevisionArgs
from settings import Definition, Settings, Stable, Track
from settings.definitions import DEFAULT_NAMESPACE, serving_container
from settings.model import DEFAULT_TOPIC

TOPIC_VARIABLE = "KAFKA_TOPIC"


@dataclass(frozen=True, kw_only=True)
class ReleasesArgs:
    """The services' settings, and what they run on."""

    settings: Settings
    domain: pulumi.Input[str]
    http_port: int
    image: Callable[[str], str]
    """Redirection of an image reference."""
    needs: Mapping[str, Sequence[pulumi.Resource]]
    """What must exist before one service starts, by its name: its stores. What all of them wait for is what the
    component depends on: in each service's record of the state it would be thousands of characters."""
    placement: Placement = Placement()
    urls_of_the_cluster: bool = False
    """See `components.release.plan.ReleasedServiceArgs`."""


@dataclass(frozen=True)
class OfAll:
    """What the services of a stack share."""

    known: KnownRevisions
    not_ready: pulumi.ErrorHook | None


class Releases(pulumi.ComponentResource):
    """Every service of the settings."""

    releases: pulumi.Output[dict[str, Any]]
    """For each service its URL and tracks, as ReleasedService describes them."""

    def __init__(self, name: str, args: ReleasesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        # The type's name is in the state of stacks that run: with another one all inside would be replaced.
        super().__init__("knative-releases:index:ConferenceApplication", name, None, opts)
        kubeconfig = args.placement.kubeconfig
        of_all = OfAll(KnownRevisions(kubeconfig), error_hook("not-ready", kubeconfig) if kubeconfig else None)
        spaces = self._namespaces(args)
        services = {service: self._service(service, args, of_all, spaces) for service in args.settings.services}

        async def described(domain: str) -> dict[str, Any]:
            return {name: await service.described(domain) for name, service in services.items()}

        self.releases = pulumi.Output.from_input(args.domain).apply(described)
        self.register_outputs({"releases": self.releases})

    def _namespaces(self, args: ReleasesArgs) -> Mapping[str, pulumi.Resource]:
        """The namespaces of the services, where the cluster is the program's own; another one has them already."""
        if args.placement.owner is not None:
            return {}
        manifests = [_namespace(name) for name in namespaces(args.settings)]
        made = register(manifests, self, [], args.placement)
        return {manifest["metadata"]["name"]: each for manifest, each in zip(manifests, made, strict=True)}

    def _service(
        self, name: str, args: ReleasesArgs, of_all: OfAll, spaces: Mapping[str, pulumi.Resource]
    ) -> ReleasedService:
        space = spaces.get(args.settings.definitions[name].namespace)
        needs = [*args.needs[name], *([space] if space else [])]
        opts = pulumi.ResourceOptions(parent=self, depends_on=needs)
        return ReleasedService(name, service_args(name, args, of_all), opts)


def namespaces(settings: Settings) -> list[str]:
    """The namespaces that the services are in, except the one that every cluster has. Pure."""
    return sorted({each.namespace for each in settings.definitions.values()} - {DEFAULT_NAMESPACE})


def _namespace(name: str) -> Manifest:
    return own({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def service_args(name: str, args: ReleasesArgs, of_all: OfAll) -> ReleasedServiceArgs:
    """A service's settings as the arguments of its release. Pure."""
    service, definition = args.settings.services[name], args.settings.definitions[name]
    return ReleasedServiceArgs(
        service_name=name,
        namespace=definition.namespace,
        labels=definition.labels,
        annotations=definition.annotations,
        info_path=definition.info_path,
        take_over=service.take_over,
        domain=args.domain,
        http_port=args.http_port,
        ready_within=args.settings.ready_within,
        stable=TrackArgs(revision=_revision(definition, service.stable, None, args), tag=service.stable.tag),
        tracks={
            track: TrackArgs(
                revision=_revision(definition, version, track, args), percent=version.percent, tag=version.tag
            )
            for track, version in service.deployed_tracks.items()
        },
        placement=args.placement,
        known=of_all.known,
        not_ready=of_all.not_ready,
        urls_of_the_cluster=args.urls_of_the_cluster,
    )


def _topic(definition: Definition, template: Mapping[str, Any], topic: str) -> dict[str, str]:
    """The variable that names the topic of the events to a service that needs Kafka. None for the default name, so that
    revisions keep their names, and none where the manifest has its own.
    """
    given = {variable["name"] for variable in serving_container(template).get("env") or ()}
    if "kafka" not in definition.needs or topic == DEFAULT_TOPIC or TOPIC_VARIABLE in given:
        return {}
    return {TOPIC_VARIABLE: topic}


def _revision(definition: Definition, version: Stable | Track, track: str | None, args: ReleasesArgs) -> RevisionArgs:
    template = definition.track_templates.get(track or "", definition.template)
    own = {key: text.replace("{track}", track) for key, text in definition.track_env.items()} if track else {}
    return RevisionArgs(
        template=template,
        version=version.version,
        image=args.image,
        env={**_topic(definition, template, args.settings.kafka.topic), **own, **version.env},
        min_scale=version.min_scale,
        max_scale=version.max_scale,
        initial_scale=version.initial_scale,
        concurrency=version.concurrency,
        cpu=version.cpu,
        memory=version.memory,
        restart=version.restart,
    )

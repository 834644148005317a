"""A service whose versions share its requests by percentages and tags: the release model of the project.

Stable is the template of one Knative Service. Each further track is a Knative Configuration of its own, ready before
the
Service's traffic names its revision. A track that leaves the settings is deleted after the traffic has moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.manifests import own
from components.objects import KubernetesObject, Placement, marked
from components.readiness import error_hook
from components.revision import RevisionArgs, template
from components.traffic import Target, service_url, stable_percent, traffic_block

OWNER_LABEL = "serving.knative.dev/service"
TAG_HEADER = "Knative-Serving-Tag"
"""Request header that chooses a tag's revision at the service's main URL."""


@dataclass(frozen=True, kw_only=True)
class TrackArgs:
    """One version of the service and its share."""

    revision: RevisionArgs
    percent: int = 0
    """Share in percent, 0 to 100; not read for stable, which takes what the tracks leave."""
    tag: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReleasedServiceArgs:
    """A service and its tracks."""

    service_name: str
    namespace: str
    stable: TrackArgs
    tracks: Mapping[str, TrackArgs] = field(default_factory=dict)
    """Deployed tracks beside stable, by name."""
    domain: pulumi.Input[str]
    http_port: int
    ready_within: str
    """Limit for each object to become ready, its image's pull included; a duration such as `90s` or `2m`."""
    placement: Placement = Placement()


class ReleasedService(pulumi.ComponentResource):
    """One Knative Service with its tracks."""

    url: pulumi.Output[str]
    """URL of the service, outside the cluster."""
    release: pulumi.Output[dict[str, Any]]
    """What the settings say of this service: its URL, and for each track its share, version, revision, tag URL and
    header.
    """

    def __init__(self, name: str, args: ReleasedServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("knative-releases:index:ReleasedService", name, None, opts)
        targets, templates = plan(args)
        tracks = [self._track(args, target, templates[target.track]) for target in targets if target.track != "stable"]
        self._service(args, targets, templates["stable"], tracks)
        domain = pulumi.Output.from_input(args.domain)
        self.url = domain.apply(lambda d: service_url(args.service_name, args.namespace, d, args.http_port))
        self.release = domain.apply(lambda d: described(args, targets, d))
        self.register_outputs({"url": self.url, "release": self.release})

    def _track(self, args: ReleasedServiceArgs, target: Target, body: dict[str, Any]) -> pulumi.Resource:
        name = configuration_name(args.service_name, target.track)
        return self._object(args, "Configuration", name, {"template": body}, [])

    def _service(
        self,
        args: ReleasedServiceArgs,
        targets: Sequence[Target],
        body: dict[str, Any],
        tracks: Sequence[pulumi.Resource],
    ) -> pulumi.CustomResource:
        spec = {"template": body, "traffic": traffic_block(targets)}
        return self._object(args, "Service", args.service_name, spec, tracks)

    def _object(
        self,
        args: ReleasedServiceArgs,
        kind: str,
        name: str,
        spec: dict[str, Any],
        depends_on: Sequence[pulumi.Resource],
    ) -> pulumi.CustomResource:
        annotations = {
            "pulumi.com/waitFor": "condition=Ready",
            # The stack decides the traffic: what kn, kubectl or a console took over is taken back, not a conflict.
            "pulumi.com/patchForce": "true",
            # The queue-proxy of every pod drains for 30 s before it ends; nobody has to wait for that.
            "pulumi.com/deletionPropagationPolicy": "background",
        }
        metadata = {"name": name, "namespace": args.namespace, "annotations": annotations}
        manifest = own({"apiVersion": "serving.knative.dev/v1", "kind": kind, "metadata": metadata, "spec": spec})
        limits = pulumi.CustomTimeouts(create=args.ready_within, update=args.ready_within)
        config = args.placement.kubeconfig
        hooks = (
            pulumi.ResourceHookBinding(on_error=[error_hook(f"{kind}-{name}-not-ready", config)]) if config else None
        )
        inside = args.placement.options(self, depends_on, [spec["template"]["spec"]["containers"][0]["image"]])
        opts = pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(custom_timeouts=limits, hooks=hooks))
        return KubernetesObject(name, marked(manifest, args.placement), opts)


def configuration_name(service: str, track: str) -> str:
    """Name of the Knative Configuration behind a track; stable's is made by the Service and has its name."""
    return service if track == "stable" else f"{service}-{track}"


def plan(args: ReleasedServiceArgs) -> tuple[list[Target], dict[str, dict[str, Any]]]:
    """The traffic targets, stable first, and each track's revision template. Pure."""
    templates = {"stable": template(args.service_name, args.stable.revision)}
    for track, track_args in args.tracks.items():
        # Since Knative 1.21 a Service routes only to revisions with this label; `kn revision list -s` finds them by it.
        labels = {**track_args.revision.labels, OWNER_LABEL: args.service_name}
        revision = RevisionArgs(**{**vars(track_args.revision), "labels": labels})
        templates[track] = template(configuration_name(args.service_name, track), revision)
    percents = {track: t.percent for track, t in args.tracks.items()}
    shares = {"stable": stable_percent(percents), **percents}
    tags = {"stable": args.stable.tag, **{track: t.tag for track, t in args.tracks.items()}}
    targets = [
        Target(track=track, revision=body["metadata"]["name"], percent=shares[track], tag=tags[track])
        for track, body in templates.items()
    ]
    return targets, templates


def described(args: ReleasedServiceArgs, targets: Sequence[Target], domain: str) -> dict[str, Any]:
    """The release as a stack output: what a person or a script reads after an update. Pure."""
    versions = {"stable": args.stable, **args.tracks}

    def url(tag: str | None = None) -> str:
        return service_url(args.service_name, args.namespace, domain, args.http_port, tag)

    def track(target: Target) -> dict[str, Any]:
        tagged = (
            {"tag": target.tag, "url": url(target.tag), "header": f"{TAG_HEADER}: {target.tag}"} if target.tag else {}
        )
        version = versions[target.track].revision.version
        return {"percent": target.percent, "version": version, "revision": target.revision, **tagged}

    return {"url": url(), "tracks": {target.track: track(target) for target in targets}}

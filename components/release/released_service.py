"""A service whose versions share its requests by percentages and tags: the release model of the project.

Stable is the template of one Knative Service. Each further track is a Knative Configuration of its own, ready before
the Service's traffic names its revision. A track that leaves the settings is deleted after the traffic has moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.cluster.objects import KubernetesObject, Placement, marked
from components.manifests import own
from components.release.known_revisions import KnownRevisions
from components.release.revision import RevisionArgs, images, template
from components.release.traffic import Target, stable_percent, traffic_block
from components.release.urls import Urls

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
    """Domain of the URLs, as Knative makes them unless it is configured otherwise."""
    http_port: int
    ready_within: str
    """Limit for each object to become ready, its image's pull included; a duration such as `90s` or `2m`."""
    placement: Placement = Placement()
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels and annotations of the Service itself, beside the release's own."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    info_path: str | None = None
    """Path that answers with the pod's name as JSON; None: there is none."""
    known: KnownRevisions = field(default_factory=lambda: KnownRevisions(None))
    """What the cluster has before this update."""
    not_ready: pulumi.ErrorHook | None = None
    """Reports why an object of the release does not get ready; the services of a stack share one."""
    urls_of_the_cluster: bool = False
    """Whether the Knative is somebody else's, so that only the cluster knows how its URLs are made."""


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
        self._args, self._targets = args, targets
        self._applied = self._service(args, targets, templates["stable"], tracks)
        self.release = pulumi.Output.from_input(args.domain).apply(self.described)
        self.url = self.release.apply(lambda told: str(told["url"]))
        self.register_outputs({"url": self.url, "release": self.release})

    async def described(self, domain: str) -> dict[str, Any]:
        """The value of `release`, to put several services' together: `pulumi.Output.all` would make an Output of each
        of their values, and the SDK's time grows with the square of all Outputs. domain: of the URLs."""
        args = self._args
        status = await self._said() if args.urls_of_the_cluster else None
        urls = Urls(args.service_name, args.namespace, domain, args.http_port, status)
        return described(args, self._targets, urls)

    def _track(self, args: ReleasedServiceArgs, target: Target, body: dict[str, Any]) -> pulumi.Resource:
        name = configuration_name(args.service_name, target.track)
        return self._object(args, "Configuration", name, {"template": body}, [])

    def _service(
        self,
        args: ReleasedServiceArgs,
        targets: Sequence[Target],
        body: dict[str, Any],
        tracks: Sequence[pulumi.Resource],
    ) -> KubernetesObject:
        spec = {"template": body, "traffic": traffic_block(targets)}
        return self._object(args, "Service", args.service_name, spec, tracks)

    def _object(
        self,
        args: ReleasedServiceArgs,
        kind: str,
        name: str,
        spec: dict[str, Any],
        depends_on: Sequence[pulumi.Resource],
    ) -> KubernetesObject:
        annotations = {
            **(args.annotations if kind == "Service" else {}),
            "pulumi.com/waitFor": "condition=Ready",
            # The stack decides the traffic: what kn, kubectl or a console took over is taken back, not a conflict.
            "pulumi.com/patchForce": "true",
            # The queue-proxy of every pod drains for 30 s before it ends; nobody has to wait for that.
            "pulumi.com/deletionPropagationPolicy": "background",
        }
        labels = {"labels": dict(args.labels)} if kind == "Service" and args.labels else {}
        metadata = {"name": name, "namespace": args.namespace, **labels, "annotations": annotations}
        manifest = own({"apiVersion": "serving.knative.dev/v1", "kind": kind, "metadata": metadata, "spec": spec})
        limits = pulumi.CustomTimeouts(create=args.ready_within, update=args.ready_within)
        hooks = pulumi.ResourceHookBinding(on_error=[args.not_ready]) if args.not_ready else None
        inside = args.placement.options(self, depends_on, images(spec["template"]))
        keep = args.known.keep(kind, args.namespace, name, spec, args.placement.creation)
        more = pulumi.ResourceOptions(custom_timeouts=limits, hooks=hooks, transforms=[keep])
        opts = pulumi.ResourceOptions.merge(inside, more)
        return KubernetesObject(name, marked(manifest, args.placement), opts)

    async def _said(self) -> Any:
        """The Service's status: of this update, or of before it where nothing was updated or the update failed; None
        where there is none yet.
        """
        service, known = self._applied, await self._args.known.of(self._args.namespace)
        before = known.objects.get("Service", {}).get(self._args.service_name, {})
        try:
            after = {"metadata": await service.metadata.future(), "status": await service.status.future()}
        except Exception:  # the update of the Service failed, and its registration says so
            return before.get("status")
        return newer(before, after).get("status")


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


def newer(before: Mapping[str, Any], after: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of two readings of one object the later one; where its spec is the same in both, the one from the cluster. Pure.

    before: as the cluster had it before the update; empty: it had none.
    after: as the engine has it: of this update, or of an earlier one where nothing was to be done.
    """

    def generation(each: Mapping[str, Any]) -> int:
        return int((each.get("metadata") or {}).get("generation") or 0)

    return after if generation(after) > generation(before) else before


def described(args: ReleasedServiceArgs, targets: Sequence[Target], urls: Urls) -> dict[str, Any]:
    """The release as a stack output: what a person or a script reads after an update. Pure."""
    versions = {"stable": args.stable, **args.tracks}

    def track(target: Target) -> dict[str, Any]:
        tagged = (
            {"tag": target.tag, "url": urls.of(target.tag), "header": f"{TAG_HEADER}: {target.tag}"}
            if target.tag
            else {}
        )
        version = versions[target.track].revision.version
        return {"percent": target.percent, "version": version, "revision": target.revision, **tagged}

    told = {"namespace": args.namespace if args.namespace != "default" else None, "infoPath": args.info_path}
    more = {key: text for key, text in told.items() if text}
    return {"url": urls.of(), **more, "tracks": {target.track: track(target) for target in targets}}

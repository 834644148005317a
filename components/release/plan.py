"""What a service and its tracks become: revision templates, traffic, and what the stack's outputs say of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.cluster.objects import Placement
from components.release.known_revisions import KnownRevisions
from components.release.revision import RevisionArgs, template
from components.release.traffic import Target, stable_percent
from components.release.urls import CLUSTER_LOCAL, Urls

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
    take_over: bool = False
    """Whether a Service of this name that another tool made is taken over, and left in the cluster when it goes."""
    known: KnownRevisions = field(default_factory=lambda: KnownRevisions(None))
    """What the cluster has before this update."""
    not_ready: pulumi.ErrorHook | None = None
    """Reports why an object of the release does not get ready; the services of a stack share one."""
    urls_of_the_cluster: bool = False
    """Whether the Knative is somebody else's, so that only the cluster knows how its URLs are made."""


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
    more = {key: text for key, text in {**told, "visibility": CLUSTER_LOCAL if urls.local else None}.items() if text}
    return {"url": urls.of(), **more, "tracks": {target.track: track(target) for target in targets}}

"""A service and its versions, as the settings have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from settings.base import Frozen as _Settings
from settings.types import (
    EnvironmentName,
    ExactText,
    Label,
    Percent,
    Quantity,
    Repository,
    Scale,
    Text,
    Version,
)


class VersionSettings(_Settings):
    """What stable and tracks have in common: one version of a service, and how it runs."""

    version: Version
    tag: Label | None = None
    """Knative traffic tag: its own URL, and the value for the Knative-Serving-Tag header."""
    env: Mapping[EnvironmentName, ExactText] = Field(default_factory=dict)
    """Environment variables beside the service's own; the same name replaces."""
    min_scale: Scale | None = None
    """Pods kept at least; unset: the service's own (1 for frontend and notifications-service, else 0)."""
    max_scale: Scale | None = None
    initial_scale: Scale | None = None
    concurrency: Annotated[Scale, Field(le=1000)] | None = None
    """Requests that one pod handles at once (`containerConcurrency`); unset or 0: no limit."""
    cpu: Quantity | None = None
    memory: Quantity | None = None
    restart: ExactText | None = None
    """Any text; a new one makes a new revision of the same version."""


class Stable(VersionSettings):
    """The version that takes what the tracks leave. Left out in the stack: the tag of the manifest's image."""


class Track(VersionSettings):
    """Another version beside stable."""

    percent: Percent
    """Its share. Unset in the stack: `canaryPercent` for the track named canary, 0 for others."""
    manifest: Text | None = None
    """A Knative Service manifest of the track's own, for what a version differs in beyond the settings above."""


class Service(_Settings):
    """One service: what it is, and its versions."""

    manifest: Text | None = None
    """Its Knative Service manifest; unset: `<name>.yaml` in the application's folder, or `image` alone."""
    image: Repository | None = None
    """Image of the container that the requests go to, in the place of the manifest's."""
    namespace: Label | None = None
    """Unset: the manifest's, else `default`."""
    needs: tuple[Literal["kafka", "postgresql", "redis"], ...] | None = None
    """The stores that it stops without; unset: those of the manifest's annotation `knative-releases/needs`."""
    take_over: bool = False
    """Whether a Knative Service of this name that another tool made is taken over. As long as this is set, the Service
    stays in the cluster when it leaves the stack."""
    stable: Stable
    tracks: Mapping[Label, Track] = Field(default_factory=dict)

    @property
    def deployed_tracks(self) -> dict[str, Track]:
        """The tracks that get requests or have a tag; one at 0 % without a tag is not deployed."""
        return {name: track for name, track in self.tracks.items() if track.percent or track.tag}

"""The states between which the transition test walks: every release strategy, as a person would write it into the
settings, and what its requests have to show. Data, and what follows from it alone.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FRONTEND, C4P, AGENDA, NOTIFICATIONS = "frontend", "c4p-service", "agenda-service", "notifications-service"
NEW = {"version": "v1.1.0"}
CURRENT = {"tag": "current"}
CANARY = {NOTIFICATIONS: {"tracks": {"canary": NEW}}}
TAGGED_CANARY = {NOTIFICATIONS: {"stable": CURRENT, "tracks": {"canary": NEW}}}


@dataclass(frozen=True, kw_only=True)
class State:
    """Settings of the services; a service left out is plain."""

    services: Mapping[str, Any] = field(default_factory=dict)
    canary_percent: int = 0

    def shares(self, service: str) -> dict[str, int]:
        """Share in percent of each deployed track, stable included."""
        settings = self._tracks(service)
        tracks = {
            name: track.get("percent", self.canary_percent if name == "canary" else 0)
            for name, track in settings.items()
        }
        deployed = {name: percent for name, percent in tracks.items() if percent or "tag" in settings[name]}
        return {"stable": 100 - sum(deployed.values()), **deployed}

    def tags(self) -> dict[str, tuple[str, str]]:
        """Service and track behind each living tag URL, by host label (`<tag>-<service>`)."""
        return {
            f"{version['tag']}-{service}": (service, track)
            for service, settings in self.services.items()
            for track, version in {"stable": settings.get("stable", {}), **self._tracks(service)}.items()
            if "tag" in version
        }

    def _tracks(self, service: str) -> Mapping[str, Mapping[str, Any]]:
        tracks: Mapping[str, Mapping[str, Any]] = self.services.get(service, {}).get("tracks", {})
        return tracks


def _frontend(stable_tag: str, track: str, percent: int) -> State:
    new = {**NEW, "tag": track, "percent": percent, "env": {"FEATURE_DEBUG_ENABLED": "true"}}
    return State(services={FRONTEND: {"stable": {"tag": stable_tag}, "tracks": {track: new}}})


def _new_at(percent: int, **more: Any) -> dict[str, Any]:
    return {"tracks": {"next": {**NEW, "percent": percent, **more}}}


STATES: Mapping[str, State] = {
    "plain": State(),
    "canary 10": State(services=CANARY, canary_percent=10),
    "canary 50": State(services=TAGGED_CANARY, canary_percent=50),
    "canary 90": State(services=TAGGED_CANARY, canary_percent=90),
    "canary aborted": State(services=CANARY, canary_percent=0),
    # The first step of a promotion in two: the track equals stable and keeps its share.
    "promotion, middle": State(
        services={NOTIFICATIONS: {"stable": {**NEW, **CURRENT}, "tracks": {"canary": NEW}}},
        canary_percent=50,
    ),
    "promoted": State(services={NOTIFICATIONS: {"stable": {**NEW, **CURRENT}}}),
    "A/B, dark": _frontend("current", "version110", 0),
    "A/B, even": _frontend("current", "version110", 50),
    "blue": _frontend("blue", "green", 0),
    "green": _frontend("blue", "green", 100),
    "three versions 80/15/5": State(
        services={
            NOTIFICATIONS: {
                "stable": CURRENT,
                "tracks": {
                    "canary": {**NEW, "percent": 15},
                    "candidate": {**NEW, "percent": 5, "tag": "candidate", "env": {"CANDIDATE": "1"}},
                },
            }
        },
    ),
    "scale to zero, split": State(services={AGENDA: _new_at(30), C4P: _new_at(60, tag="next")}),
    "scale to zero, promoted": State(services={AGENDA: {"stable": NEW}, C4P: {"stable": NEW}}),
    "all at once": State(
        services={
            NOTIFICATIONS: {"tracks": {"canary": {**NEW, "tag": "canary"}}},
            FRONTEND: {"stable": CURRENT, "tracks": {"version110": {**NEW, "tag": "version110"}}},
            AGENDA: _new_at(50),
            C4P: {"stable": NEW},
        },
        canary_percent=20,
    ),
    "other resources": State(
        services={
            NOTIFICATIONS: {
                "stable": {"minScale": 2, "maxScale": 3, "concurrency": 50, "memory": "64Mi"},
                "tracks": {"canary": {**NEW, "percent": 40, "initialScale": 2}},
            },
            AGENDA: {"stable": {"restart": "again"}},
        },
    ),
}
"""The states, by the names that figures and messages use."""


def path(seed: int, steps: int, start: str = "plain") -> list[str]:
    """Names of the states of a random walk, its start left out: all of them shuffled, again and again, so that none is
    missed, and never the same twice in a row.
    """
    chance, walked = random.Random(seed), [start]
    while len(walked) <= steps:
        round_ = chance.sample(list(STATES), len(STATES))
        walked += round_[1:] if round_[0] == walked[-1] else round_
    return walked[1 : steps + 1]

"""Shares of a service's requests, and the Knative traffic block that says them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Target:
    """One revision that a service routes to."""

    track: str
    """`stable`, or the track's name."""
    revision: str
    percent: int
    tag: str | None = None


def stable_percent(percents: Mapping[str, int]) -> int:
    """What the tracks leave for stable, 0 to 100.

    Raises ValueError when a share is outside 0 to 100 or their sum is over 100.
    """
    if any(not 0 <= p <= 100 for p in percents.values()) or sum(percents.values()) > 100:
        raise ValueError(f"shares {dict(percents)} are not percentages that leave something of 100")
    return 100 - sum(percents.values())


def traffic_block(targets: Sequence[Target]) -> list[dict[str, Any]]:
    """The `traffic` of a Knative Service. Revisions are named: Knative never chooses one by itself.

    `latestRevision` is the value that Knative's defaulting adds; left out, the next refresh would see a change.
    """
    return [
        {"revisionName": t.revision, "percent": t.percent, "latestRevision": False, **({"tag": t.tag} if t.tag else {})}
        for t in targets
    ]

"""What a machine has to have for a cluster, and what the preflight of the cluster's creation is told of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import metadata
from typing import Final

import pulumi

from components.kind.preflight import PINNED_PACKAGES


@dataclass(frozen=True)
class Needs:
    """What Docker has to have."""

    cpus: float
    memory_gib: float
    disk_gib: float
    """Free on Docker's disk."""


NEEDS: Final = {"small": Needs(2, 4, 8), "released": Needs(3, 6, 8)}
"""By profile. As released, Kubernetes, Knative, Kourier, the stores and the services request 2.6 CPUs."""
PINNED_ENGINE: Final = "3.226.0"


def preflight_environment(profile: str) -> dict[str, str]:
    """What the creation's preflight compares with: the profile's needs, and the versions of what runs the program."""
    needs = NEEDS[profile]
    return {
        "PROFILE": profile,
        "MINIMUM_CPUS": f"{needs.cpus:g}",
        "MINIMUM_MEMORY_GIB": f"{needs.memory_gib:g}",
        "MINIMUM_DISK_GIB": f"{needs.disk_gib:g}",
        "PACKAGES": json.dumps({name: metadata.version(name) for name in PINNED_PACKAGES}),
        "ENGINE": engine_problem(),
    }


def engine_problem() -> str:
    """What the engine says against the wanted version; empty when it is the wanted one."""
    try:
        pulumi.require_pulumi_version(PINNED_ENGINE)
    except Exception as error:  # the SDK raises no more special one
        return str(error)
    return ""

"""How much a new cluster downloads: estimates, said before it is made. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from components.sources.archives import holds


@dataclass(frozen=True)
class Download:
    """Images that are pulled together."""

    what: str
    megabytes: int
    """Compressed, as it is downloaded; an estimate, for amd64."""
    image: str
    """One of the images, as upstream names it: where an archive has it, nothing of this is downloaded."""


NODE: Final = Download("the node of Kubernetes", 450, "docker.io/kindest/node")
"""About what kindest/node of Kubernetes 1.34 has (the size could not be asked for where this was written)."""
INSIDE: Final = (
    # The manifests' images are static Go programs of 10 to 25 MB each, eight of them; Envoy's is about 60 MB.
    Download("Knative and Kourier", 200, "gcr.io/knative-releases/knative.dev/serving/cmd/controller"),
    # The tutorial's own numbers (platforms-on-k8s, chapter-2/README.md).
    Download("Kafka", 335, "docker.io/bitnamilegacy/kafka"),
    Download("PostgreSQL", 88, "docker.io/bitnamilegacy/postgresql"),
    Download("Redis", 35, "docker.io/bitnamilegacy/redis"),
    # Static Go programs, four of them and one more for each further version.
    Download("the conference application", 80, "docker.io/salaboy/frontend-go-1739aa83b5e69d4ccb8a5615830ae66c"),
)
"""What is pulled inside of the cluster."""
MEGABITS: Final = 5
"""Per second: the slow line that the time limits fit."""
READY_SECONDS: Final = 30 * 60
"""Limit for what runs in the cluster to become ready. A node pulls one image after the other, so anything may be behind
all that is in INSIDE: 20 minutes on the slow line.
"""


def inside(redirected: Callable[[str], str], archives: Iterable[Iterable[str]]) -> list[Download]:
    """What the cluster pulls that no archive holds.

    redirected: where an image really comes from. archives: the images of each.
    """
    held = [list(images) for images in archives]
    return [each for each in INSIDE if not any(holds(images, redirected(each.image)) for images in held)]


def told(downloads: Sequence[Download]) -> str:
    """A sentence for people; empty where nothing is downloaded."""
    if not downloads:
        return ""
    total = sum(each.megabytes for each in downloads)
    minutes = total * 8 / MEGABITS / 60
    parts = ", ".join(f"{each.what} {size(each.megabytes)}" for each in downloads)
    return (
        f"a new cluster is made, which downloads about {size(total)} ({parts}): "
        f"about {minutes:.0f} min at {MEGABITS} Mbit/s"
    )


def size(megabytes: int) -> str:
    """An amount of data for people."""
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes} MB"

"""The images of the conference application's stand-in, in one archive, under the names that upstream gives them.

All of them share one layer with one binary; an image's entrypoint picks the service, its environment the version.
They live below `dev.local`, whose tags Knative does not resolve at a registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from offline import cache, go_builds
from offline.image_archive import write_images_of

REGISTRY: Final = "dev.local"
REPOSITORIES: Final[Mapping[str, str]] = {
    "frontend": "salaboy/frontend-go-1739aa83b5e69d4ccb8a5615830ae66c",
    "c4p-service": "salaboy/c4p-service-a3dc0474cbfa348afcdf47a8eee70ba9",
    "agenda-service": "salaboy/agenda-service-0967b907d9920c99918e2b91b91937b3",
    "notifications-service": "salaboy/notifications-service-0e27884e01429ab7e350cb5dff61b525",
}
VERSIONS: Final = ("1.0.0", "1.1.0")


def references() -> list[str]:
    """The references of all images in the archive, such as `dev.local/salaboy/…:v1.0.0`."""
    return [_reference(service, version) for service in REPOSITORIES for version in VERSIONS]


def archive() -> Path:
    """The `docker load` archive with every service in every version, built unless the cache has it.

    Errors are those of `go_builds.binaries`.
    """
    binary = go_builds.binaries("conference") / "conference"
    key = {
        "binary": cache.files_digest(binary),
        "images": cache.files_digest(Path(__file__), Path(__file__).with_name("image_archive.py")),
    }
    return cache.built("conference-images", key, lambda folder: _write(binary, folder)) / "conference.tar"


def _write(binary: Path, folder: Path) -> None:
    images = [
        (_reference(service, version), ["/conference", service], {"CONFERENCE_VERSION": version})
        for service in REPOSITORIES
        for version in VERSIONS
    ]
    write_images_of(binary, images, folder / "conference.tar")


def _reference(service: str, version: str) -> str:
    return f"{REGISTRY}/{REPOSITORIES[service]}:v{version}"

"""Image archives: what is in them, and who waits for them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from components.archives import holds, images_of
from components.manifests import GATEWAY
from components.sources import SourceError
from tests.unit import image_archives, small_release
from tests.unit.recording import Recorded, record
from tests.unit.test_graph_order import services, waits_for_all

STORES, PLANE, CONFERENCE = "dev.local/redis:7.0", ("dev.local/controller:v1", "dev.local/queue:v1"), "dev.local/app/"


def loaded(manifests: Path, folder: Path) -> Recorded:
    """The program with archives for Redis, for the control plane, and for one of the services."""
    frontend = "dev.local/app/frontend-go-1739aa83b5e69d4ccb8a5615830ae66c:v1.0.0"
    archives = [
        image_archives.write(folder / "stores.tar", STORES),
        image_archives.write(folder / "plane.tar", *PLANE),
        image_archives.write(folder / "app.tar", frontend),
    ]
    images = {
        "docker.io/bitnamilegacy/redis": STORES,
        small_release.PLANE_IMAGE.partition("@")[0]: PLANE[0],
        small_release.QUEUE_IMAGE.partition("@")[0]: PLANE[1],
        "docker.io/salaboy/": CONFERENCE,
    }
    recorded = record({"sources": {"archives": [str(a) for a in archives], "images": images}}, manifests)
    assert recorded.error is None, f"the program ended: {recorded.error!r}"
    return recorded


def test_a_workload_waits_for_the_archive_with_its_image(small: Path, tmp_path: Path) -> None:
    recorded = loaded(small, tmp_path)
    stores, plane, app = (recorded.one("Command", f"cluster-image-{name}") for name in ("stores", "plane", "app"))
    waits_for_all(recorded, [recorded.one("Release", "redis")], [stores])
    waits_for_all(recorded, [recorded.one("Deployment", "knative-serving/controller")], [plane])
    waits_for_all(recorded, services(recorded), [plane])  # with the queue-proxy that is in each of its pods
    waits_for_all(recorded, services(recorded, "frontend"), [app])


def test_what_needs_no_archive_waits_for_none(small: Path, tmp_path: Path) -> None:
    recorded = loaded(small, tmp_path)
    loads = {r.urn for r in recorded.of_kind("Command") if r.name.startswith("cluster-image-")}
    gateway = recorded.one("Deployment", f"kourier-system/{GATEWAY}")
    for resource in (recorded.one("Release", "kafka"), gateway, *recorded.of_kind("CustomResourceDefinition")):
        assert not recorded.waits_for(resource) & loads, f"{resource.name} waits for images that it does not run"


def test_archives_are_loaded_in_their_order(small: Path, tmp_path: Path) -> None:
    recorded = loaded(small, tmp_path)
    stores, plane, app = (recorded.one("Command", f"cluster-image-{name}") for name in ("stores", "plane", "app"))
    waits_for_all(recorded, [plane], [stores])
    waits_for_all(recorded, [app], [plane])


def test_references_are_those_that_docker_saved_spelt_out(tmp_path: Path) -> None:
    archive = image_archives.write(tmp_path / "a.tar", "redis:7", "dev.local/kafka:3.4.1")
    assert images_of(archive) == {"docker.io/library/redis:7", "dev.local/kafka:3.4.1"}


@pytest.mark.parametrize(
    ("reference", "held"),
    [
        ("redis:7", True),
        ("docker.io/library/redis", True),  # the chart chooses the tag
        ("redis:6", False),
        ("docker.io/library/redis@sha256:" + "a" * 64, False),
        ("library/redi:7", False),
    ],
)
def test_an_image_is_held_by_its_repository_and_its_tag(reference: str, held: bool) -> None:
    assert holds(["docker.io/library/redis:7"], reference) == held


@pytest.mark.parametrize("content", [b"", b"no archive at all", gzip.compress(b"compressed")])
def test_what_is_no_archive_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.tar"
    file.write_bytes(content)
    with pytest.raises(SourceError, match=r"broken\.tar is no uncompressed archive of docker save"):
        images_of(file)

"""Image archives: what is in them, and who waits for them."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from components.manifests import GATEWAY
from components.sources.archives import holds, images_of
from components.sources.release_manifests import SourceError
from tests.unit import image_archives, small_release
from tests.unit.recording import Recorded, record
from tests.unit.registration import Registration
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


def loads(archives: Sequence[Path], manifests: Path) -> dict[str, Registration]:
    """The resources that load these archives, by their names."""
    recorded = record({"sources": {"archives": [str(a) for a in archives]}}, manifests)
    assert recorded.error is None, recorded.error
    names = [r for r in recorded.of_kind("Command") if r.name.startswith("cluster-image-")]
    return {r.name.removeprefix("cluster-image-"): r for r in names}


def test_a_rebuilt_archive_at_the_same_path_is_loaded_again(small: Path, tmp_path: Path) -> None:
    def triggers(build: str, *references: str) -> object:
        archive = image_archives.write(tmp_path / "app.tar", *references, build=build)
        return loads([archive], small)["app"].inputs["triggers"]

    first = triggers("1", "dev.local/app:v1")
    assert triggers("1", "dev.local/app:v1") == first, "every `up` loads every archive"
    assert triggers("2", "dev.local/app:v1") != first, "an image that was built again is not loaded"
    assert triggers("1", "dev.local/app:v2") != first, "a new tag is not loaded"


def test_an_archive_that_lies_elsewhere_is_not_loaded_again(small: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    here, there = (image_archives.write(tmp_path / place / "app.tar", STORES) for place in (".", "other"))
    one, other = (loads([archive], small)["app"].inputs for archive in (here, there))
    assert one["triggers"] == other["triggers"] and one["create"] == other["create"]
    assert one["update"] == ":", "a new path would load it again"


def test_two_archives_of_one_file_name_are_both_loaded(small: Path, tmp_path: Path) -> None:
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
    archives = [image_archives.write(tmp_path / folder / "app.tar", f"dev.local/{folder}:v1") for folder in ("a", "b")]
    archives.append(image_archives.write(tmp_path / "c" / "app-2.tar", "dev.local/c:v1"))
    found = loads(archives, small)
    assert [r.inputs["environment"]["IMAGE_ARCHIVE"] for r in found.values()] == [str(a) for a in archives]


def test_a_path_is_no_text_of_the_shell(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "$(touch made) `touch made` \" ' ;"
    folder.mkdir()
    archive = image_archives.write(folder / "app.tar", STORES)
    load = loads([archive], small)["app"].inputs
    kind = tmp_path / "kind"
    kind.write_text('#!/bin/sh\nfor each in "$@"; do last=$each; done; printf %s "$last"')
    kind.chmod(0o755)
    environment = {**load["environment"], "PATH": str(tmp_path)}
    done = subprocess.run(
        ["/bin/sh", "-c", load["create"]], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == str(archive), f"another file is loaded: {done}"
    assert not list(tmp_path.rglob("made")), "the path was run as a command"


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

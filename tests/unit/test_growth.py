"""What a stack costs grows as the number of its services does, and not as its square.

Counted are the lines of the project that run (loops and comprehensions count for each round), so that a slow machine
changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pulumi
import pytest
import yaml

import settings
from assembly.claims import claims, made_by_knative
from components.release.known_revisions import Known, KnownRevisions
from components.sources.resolved import ResolvedSources
from rollout.configuration import Configuration
from status.cluster import Objects
from status.reported import with_reported
from status.wanted import of_outputs
from tests.unit import release_status
from tests.unit.recording import ROOT, record

SIZES = (5, 10, 20)
PARTS = tuple(str(ROOT / part) for part in ("settings", "components", "assembly", "status", "rollout"))


class Lines:
    """How many lines of the project's parts have run."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(PARTS):
            return None
        self.count += event == "line"
        return self


@contextlib.contextmanager
def counted() -> Iterator[Lines]:
    """The lines that run meanwhile."""
    lines, before = Lines(), sys.gettrace()
    sys.settrace(lines)
    try:
        yield lines
    finally:
        sys.settrace(before)


def assert_linear(run: Callable[[int], object], most: int, sizes: tuple[int, int, int] = SIZES) -> None:
    """Fails where twice as many services more cost over 2.1 times as many lines more, or one of them over `most`."""
    counts = []
    for size in (sizes[0], *sizes):  # the first one fills caches, and imports what is imported late
        with counted() as lines:
            run(size)
        counts.append(lines.count)
    _, few, more, many = counts
    assert more > few, "nothing of the services is counted: this test proves nothing"
    assert many - more <= 2.1 * (more - few), f"it grows faster than the number of services: {counts}"
    each = (many - more) / (sizes[2] - sizes[1])
    assert each <= most, f"one service costs {each:.0f} lines"


def names(size: int) -> list[str]:
    """Names of services."""
    return [f"service-{number:03}" for number in range(size)]


def services(size: int) -> dict[str, Any]:
    """Services with two tracks, and tags."""
    track = {"version": "v2", "percent": 50, "tag": "next"}
    return {
        name: {"image": "ghcr.io/acme/any:v1", "stable": {"tag": "current"}, "tracks": {"canary": track}}
        for name in names(size)
    }


def in_folder(folder: Path, size: int) -> Path:
    """A folder with services, each with a rollout that is planned."""
    place = folder / f"of-{size}"
    place.mkdir(exist_ok=True)
    for name, entry in services(size).items():
        (place / f"{name}.yaml").write_text(yaml.safe_dump({**entry, "rollout": {"to": "v3"}}))
    return place


def loaded(size: int, folder: Path) -> settings.Settings:
    """Settings from a folder."""
    return settings.load({"application": "none", "services": str(in_folder(folder, size))}, folder)


def test_the_settings(tmp_path: Path) -> None:
    assert_linear(lambda size: loaded(size, tmp_path), most=1200)


def test_settings_that_are_refused(tmp_path: Path) -> None:
    def refused(size: int) -> None:
        place = in_folder(tmp_path, size)
        for name in names(size):
            (place / f"{name}.yaml").write_text("{image: ghcr.io/acme/any:v1, stable: {colour: red, version: 1.10}}")
        with pytest.raises(settings.SettingsError):
            settings.load({"application": "none", "services": str(place)}, tmp_path)

    assert_linear(refused, most=1200)


def test_the_program(small: Path) -> None:
    def ran(size: int) -> None:
        recorded = record({"application": "none", "services": services(size)}, small)
        assert recorded.error is None and len(recorded.outputs["services"]) == size

    assert_linear(ran, most=1500, sizes=(2, 4, 8))


def test_what_is_looked_for_in_a_cluster_that_exists(tmp_path: Path) -> None:
    nothing = ResolvedSources(definitions=(), core=(), kourier=(), charts={}, archives={})
    found = {size: loaded(size, tmp_path) for size in SIZES}

    def claimed(size: int) -> None:
        claims(found[size], nothing)
        made_by_knative(found[size], "{{.Tag}}-{{.Name}}")

    assert_linear(claimed, most=100)


def objects(size: int) -> tuple[Mapping[str, Any], Objects]:
    """Outputs of a stack, and what its cluster has: every service with two revisions, each with a pod."""
    told, found = dict[str, Any](), dict[str, Any]()
    revisions, pods = dict[str, Any](), list[Any]()
    for name in names(size):
        tracks = {"stable": f"{name}-v1", "canary": f"{name}-canary-v2"}
        shares: Sequence[Any] = [{"revisionName": revision, "percent": 50} for revision in tracks.values()]
        told[name] = {
            "url": f"http://{name}.default.127.0.0.1.sslip.io",
            "tracks": {t: {"percent": 50, "version": "v1", "revision": r} for t, r in tracks.items()},
        }
        revisions |= {revision: release_status.named(revision) for revision in tracks.values()}
        pods += [release_status.pod(f"{revision}-pod", revision, name) for revision in tracks.values()]
        found[name] = release_status.named(name)
        found[name]["status"]["traffic"] = shares
    configurations = {f"{name}-canary": release_status.named(f"{name}-canary") for name in names(size)}
    return told, Objects(services=found, configurations=configurations, revisions=revisions, pods=pods)


def test_the_status() -> None:
    def read(size: int) -> None:
        told, there = objects(size)
        wanted = of_outputs("dev", {**release_status.OUTPUTS, "services": told}).status
        read = [with_reported(service, there) for service in wanted.services]
        assert all(service.ready and len(service.tracks[1].revision.pods) == 1 for service in read)

    assert_linear(read, most=600)


def test_what_a_rollout_reads(tmp_path: Path) -> None:
    def asked(size: int) -> None:
        stack = tmp_path / f"Pulumi.of-{size}.yaml"
        stack.write_text(f"config: {{knative-releases:services: {in_folder(tmp_path, size)}}}\n")
        configuration = Configuration(stack)
        assert configuration.entry("service-000") and configuration.others("service-000")

    assert_linear(asked, most=600)


def test_what_all_services_share_is_written_once(small: Path) -> None:
    recorded = record({"application": "none", "services": services(4)}, small)
    released = [each for each in recorded.resources if each.type == "knative-releases:index:ReleasedService"]
    assert len(released) == 4 and not any(each.dependencies for each in released), (
        "each service's record in the state names all of Knative, and the state is written again and again"
    )
    (around,) = [each for each in recorded.resources if each.type == "knative-releases:index:ConferenceApplication"]
    assert len(around.dependencies) > 10, "the services do not wait for Knative"
    hooks = {hook for each in recorded.of_kind("Service", "Configuration") for hook in each.error_hooks}
    assert len(hooks) == 1, "a request to the engine for each object"


@pytest.mark.parametrize("size", [SIZES[0], SIZES[2]])
def test_a_namespace_is_asked_once_for_all_services(size: int) -> None:
    questions: list[str] = []

    def ask(_: str, namespace: str) -> Known:
        questions.append(namespace)
        return Known()

    async def program() -> None:
        known = KnownRevisions(pulumi.Output.from_input("kubeconfig"), ask)
        for number in range(size):
            await known.of(f"space-{number % 2}")

    asyncio.run(program())
    assert sorted(questions) == ["space-0", "space-1"]

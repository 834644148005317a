"""The offline toolchain as `make up` asks for it: skipped where all of it is there, checked before Docker starts."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from tests.unit.toolchain_world import environ, executable, make
from toolchain import ToolchainError, built, steps
from toolchain.choose import Choice
from toolchain.install import fill, install
from toolchain.state import Checkout

OFFLINE = Choice("offline", "test")


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=200)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make(tmp_path)


class Build:
    """Stands in for `python -m offline`: writes down its command lines, and does what a build does to the checkout."""

    def __init__(self, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
        self.checkout, self.ran = checkout, list[str]()
        self.fails: str | None = None
        """The verb that fails."""
        monkeypatch.setattr(steps, "run", self.run)
        monkeypatch.setattr("offline.engine.answers", lambda: True)

    def run(self, command: list[str], *_: object) -> int:
        """One command line."""
        self.ran.append(" ".join(command[2:]))
        if command[3] == self.fails:
            return 1
        if command[3] == "build":
            archive = self.checkout.root / "archive.tar"
            archive.touch()
            sources = {"manifests": str(self.checkout.root), "charts": str(self.checkout.root)}
            images = {built.NODE_IMAGE: "dev.local/node:v1"}
            content = yaml.safe_dump({**sources, "archives": [str(archive)], "images": images})
            Path(command[command.index("--sources") + 1]).write_text(content)
        return 0


@pytest.fixture
def build(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> Build:
    return Build(checkout, monkeypatch)


def with_docker(checkout: Checkout, image: str = "dev.local/node:v1") -> dict[str, str]:
    """Variables whose docker has this image alone."""
    folder = checkout.root / "docker"
    executable(folder / "docker", f'#!/bin/sh\n[ "$*" = "image inspect {image}" ]\n')
    return environ(checkout, PATH=f"{folder}:/bin:/usr/bin")


def test_what_is_there_is_not_built_again(checkout: Checkout, build: Build, console: Console) -> None:
    env = with_docker(checkout)
    for _ in range(2):
        fill(checkout, env, OFFLINE, console)
    target = f"offline build --bin {checkout.bin} --sources {checkout.sources}"
    assert build.ran == ["offline needs", target]


@pytest.mark.parametrize("lost", ["an archive", "the node image", "a tool", "the sources", "another recipe"])
def test_what_is_lost_is_built_again(
    lost: str, checkout: Checkout, build: Build, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = with_docker(checkout)
    fill(checkout, env, OFFLINE, console)
    build.ran.clear()
    if lost == "an archive":
        (checkout.root / "archive.tar").unlink()
    elif lost == "the node image":
        with_docker(checkout, "another")
    elif lost == "a tool":
        (checkout.bin / "kind").symlink_to(checkout.root / "gone")
    elif lost == "the sources":
        checkout.sources.unlink()
    else:
        monkeypatch.setattr(built, "recipe", lambda: "newer")
    fill(checkout, env, OFFLINE, console)
    assert len(build.ran) == 2, f"{lost} is missing, and nobody makes it"


def test_a_machine_that_cannot_build_is_refused_before_docker_is_installed(
    checkout: Checkout, build: Build, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.fails = "needs"
    monkeypatch.setattr("offline.engine.answers", lambda: False)
    monkeypatch.setattr("offline.engine.ensure_running", lambda _: pytest.fail("Docker is installed for nothing"))
    with pytest.raises(ToolchainError, match="make up SOURCES=upstream"):
        fill(checkout, environ(checkout), OFFLINE, console)
    assert build.ran == ["offline needs"]


def test_upstreams_tools_stay_until_the_build_is_done(checkout: Checkout, build: Build, console: Console) -> None:
    cache = checkout.root / "cache" / "upstream-kind-0123456789ab"
    cache.mkdir(parents=True)
    (cache / "kind").touch()
    (checkout.bin / "kind").symlink_to(cache / "kind")
    build.fails = "build"
    with pytest.raises(ToolchainError, match="What is done is kept"):
        fill(checkout, environ(checkout), OFFLINE, console)
    assert (checkout.bin / "kind").exists(), "no tools although the new ones are not ready"
    build.fails = None
    fill(checkout, environ(checkout), OFFLINE, console)
    assert not (checkout.bin / "kind").is_symlink(), "a tool of upstream among those built here"


def test_another_release_of_knative_is_built_beside_the_default_one(
    checkout: Checkout, build: Build, console: Console
) -> None:
    install(checkout, environ(checkout, SOURCES="offline", KNATIVE="1.23.0"), console)
    target = f"offline build --bin {checkout.bin} --sources {checkout.local}"
    builds = [f"{target}/sources.yaml", f"{target}/sources-1.23.0.yaml --knative 1.23.0"]
    assert build.ran == ["offline needs --knative 1.23.0", *builds]


def test_an_unknown_release_of_knative_builds_nothing(checkout: Checkout, build: Build, console: Console) -> None:
    with pytest.raises(ToolchainError, match=r"KNATIVE=1\.99\.0 given; wanted 1\.23\.0, or nothing for 1\.10\.2"):
        install(checkout, environ(checkout, SOURCES="offline", KNATIVE="1.99.0"), console)
    assert not build.ran


def test_the_recipe_does_not_change_by_running_it() -> None:
    first = built.recipe()
    __import__("offline.needs")
    assert built.recipe() == first and len(first) == 16

"""Whether Docker answers: told with the command that helps on the platform, and never with one that leads back here."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from tests.unit.toolchain_world import executable
from toolchain import docker

DOWN = "echo 'Cannot connect to the Docker daemon' >&2; exit 1"
DENIED = "echo 'permission denied while trying to connect' >&2; exit 1"


def told(folder: Path, script: str | None, **environ: str) -> str | None:
    """What is said of a docker that is this script; None: there is no docker."""
    if script is not None:
        executable(folder / "docker", f"#!/bin/sh\n{script}\n")
    return docker.problem({"PATH": str(folder), **environ})


def test_a_docker_that_answers_is_no_problem(tmp_path: Path) -> None:
    assert told(tmp_path, "echo 27.0") is None


@pytest.mark.parametrize(
    ("system", "script", "help_"),
    [
        ("Darwin", DOWN, "open -a Docker"),
        ("Linux", DOWN, "docker start|start docker"),
        ("Darwin", None, "mac-install"),
        ("Linux", None, "docs.docker.com/engine/install"),
        ("Linux", DENIED, r"usermod -aG docker"),
    ],
)
def test_the_command_is_one_of_the_platform(
    system: str, script: str | None, help_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    said = told(tmp_path, script) or ""
    assert any(part in said for part in help_.split("|")), said
    assert "make up" not in said, "make up sends its reader to make up"


def test_a_client_whose_server_is_down_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, "echo; echo 'Cannot connect' >&2"), "docker info may succeed without a server"


def test_another_host_is_named(tmp_path: Path) -> None:
    assert "tcp://host:1" in (told(tmp_path, DOWN, DOCKER_HOST="tcp://host:1") or "")

"""Ports that the ingress cannot have: found before anything is made, with a way out that works on the machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.kind import ports
from components.kind.ports import port_problems
from tests.unit.test_docker import ROOTLESS

WAY_OUT = "pulumi config set --path 'knative-releases:cluster.httpPort' 8080"


@pytest.fixture
def low(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who may not bind the port."""

    class Refused(socket.socket):
        def bind(self, _: Any) -> None:
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("socket.socket", Refused)


@pytest.fixture
def port() -> Iterator[int]:
    """A port that somebody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def unused() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


def test_a_port_below_1024_is_docker_s_to_bind_on_linux(monkeypatch: pytest.MonkeyPatch, request: Any) -> None:
    number = unused()
    request.getfixturevalue("low")
    monkeypatch.setattr("platform.system", lambda: "Linux")
    assert port_problems(number, {}) == [], "an ordinary user cannot have port 80, though Docker can"


def test_a_taken_port_is_found_by_who_may_not_bind_it(
    port: int, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("low")  # once somebody listens
    monkeypatch.setattr("platform.system", lambda: "Linux")
    (problem,) = port_problems(port, {})
    assert f"port {port} on 127.0.0.1 is in use" in problem and WAY_OUT in problem, problem


@pytest.mark.usefixtures("low")
def test_a_rootless_docker_has_no_port_below_1024(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    (problem,) = port_problems(80, ROOTLESS)
    assert "rootless" in problem and WAY_OUT in problem, problem


@pytest.mark.usefixtures("low")
@pytest.mark.parametrize(("helper", "works"), [(True, True), (False, False)])
def test_on_a_mac_only_docker_desktop_s_helper_has_a_port_below_1024(
    helper: bool, works: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    socket_file = tmp_path / "vmnetd.sock"
    if helper:
        socket_file.touch()
    monkeypatch.setattr(ports, "DESKTOP_HELPER", socket_file)
    problems = port_problems(1, {"OperatingSystem": "Docker Desktop"})
    assert bool(problems) != works, problems
    assert works or ("macOS" in problems[0] and WAY_OUT in problems[0])


@pytest.mark.parametrize(("programs", "told"), [(["ss"], "ss -ltnp"), (["lsof"], "lsof -nP"), ([], "Free it, or")])
def test_who_has_a_port_is_asked_with_what_the_machine_has(
    port: int, programs: list[str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda program: program if program in programs else None)
    (problem,) = port_problems(port, {})
    assert told in problem and WAY_OUT in problem, problem

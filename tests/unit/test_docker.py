"""Machines that people have, by what their `docker info` says: what works passes, what does not is rejected with a way
out that works there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.kind import docker
from components.kind.docker import docker_problems, start
from tests.unit.kind_machine import ENOUGH, Machine

PODMAN = {"host": {"cpus": 12, "memTotal": 134756503552}, "store": {"graphDriverName": "overlay"}, "version": {}}
ROOTLESS = {"SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"], "CgroupVersion": "2"}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the profile small wants, and none of the variables that docker and kind read."""
    for name, value in {"PROFILE": "small", "CPUS": "2", "MEMORY_GIB": "4", "DISK_GIB": "8"}.items():
        monkeypatch.setenv(name if name == "PROFILE" else f"MINIMUM_{name}", value)
    for name in ("DOCKER_HOST", "KIND_EXPERIMENTAL_PROVIDER"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "info",
    [
        {"ServerVersion": "20.10.24+dfsg1", "OSType": "linux", "OperatingSystem": "Debian GNU/Linux 12 (bookworm)"},
        {"ServerVersion": "28.3.2", "OSType": "linux", "OperatingSystem": "Docker Desktop", "Architecture": "aarch64"},
        {"ServerVersion": "27.5.1", **ROOTLESS, "MemoryLimit": True, "PidsLimit": True, "CPUShares": True},
        {"ServerVersion": "dev", "SecurityOptions": None},
    ],
    ids=["Debian's", "Docker Desktop", "rootless", "built from source"],
)
def test_what_can_have_the_cluster_is_accepted(info: dict[str, Any]) -> None:
    assert docker_problems({**ENOUGH, **info}) == []


@pytest.mark.parametrize(
    ("info", "told"),
    [
        (PODMAN, ["`docker` is Podman", "https://docs.docker.com/engine/install"]),
        ({}, ["does not say how many CPUs"]),
        ({**ENOUGH, "OSType": "windows"}, ["runs windows containers", "Switch Docker Desktop to Linux containers"]),
        ({**ENOUGH, "ServerVersion": "19.03.15"}, ["Docker is 19.03.15", "20.10 or newer"]),
        ({**ENOUGH, **ROOTLESS, "CgroupVersion": "1"}, ["rootless", "cgroup v2", docker.ROOTLESS_PAGE]),
        ({**ENOUGH, **ROOTLESS, "PidsLimit": False}, ["cannot set PidsLimit", "Delegate=yes"]),
    ],
    ids=["Podman", "unknown", "Windows containers", "old", "rootless, cgroup v1", "rootless, no delegation"],
)
def test_what_cannot_is_rejected_with_the_way_out(info: dict[str, Any], told: list[str]) -> None:
    (problem,) = docker_problems(info)
    assert all(each in problem for each in told), problem


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("KIND_EXPERIMENTAL_PROVIDER", "podman", "unset KIND_EXPERIMENTAL_PROVIDER"),
        ("DOCKER_HOST", "ssh://me@far-away", "another machine"),
        ("DOCKER_HOST", "tcp://10.0.0.7:2376", "another machine"),
    ],
)
def test_variables_that_lead_elsewhere_are_rejected(
    variable: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    (problem,) = docker_problems(ENOUGH)
    assert told in problem and value in problem, problem


@pytest.mark.parametrize("host", ["unix:///run/user/1000/docker.sock", "tcp://localhost:2375", "tcp://127.0.0.1:2375"])
def test_an_engine_of_this_machine_is_accepted_wherever_it_listens(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    assert docker_problems(ENOUGH) == []


@pytest.mark.parametrize(
    ("system", "release", "programs", "reason", "told"),
    [
        ("Darwin", "24.6.0", ["systemctl"], "no answer", "open -a Docker"),
        ("Linux", "6.8.0-generic", ["service"], "no answer", "sudo service docker start"),
        ("Linux", "6.6.87-microsoft-standard-WSL2", ["service"], "no answer", "Docker Desktop on Windows"),
        ("Linux", "6.8.0-generic", [], "no answer", "Start its daemon"),
        ("Linux", "6.8.0-generic", ["systemctl"], "permission denied while trying to connect", "usermod -aG docker"),
    ],
    ids=["macOS", "without systemd", "WSL2", "without both", "not of the group"],
)
def test_no_hint_names_a_command_that_the_machine_lacks(
    system: str, release: str, programs: list[str], reason: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.release", lambda: release)
    monkeypatch.setattr("shutil.which", lambda program: program if program in programs else None)
    monkeypatch.setattr("pathlib.Path.is_dir", lambda _: False)  # /run/systemd/system: systemd is not at work
    hint = start(reason)
    assert told in hint, hint
    assert "systemctl" not in hint and "make up" not in hint, f"a command that is not there, or a circle: {hint}"


def test_with_systemd_its_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("shutil.which", lambda program: program)
    monkeypatch.setattr("pathlib.Path.is_dir", lambda _: True)
    assert "sudo systemctl start docker" in start("no answer")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with enough of everything and no cluster."""
    return Machine(tmp_path)


@pytest.mark.parametrize("info", [PODMAN, {}])
def test_a_docker_that_is_none_is_a_sentence_among_the_others(machine: Machine, info: dict[str, Any]) -> None:
    machine.has(info)
    (machine.folder / "kind").unlink()
    done = machine.run("create")
    assert done.returncode == 1 and "the cluster cannot be created" in done.stderr, done.stderr
    assert "Docker's own is wanted" in done.stderr and "kind is not on PATH" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, "a person gets a traceback"


@pytest.mark.parametrize("missing", ["docker", "kind"])
def test_no_hint_leads_in_a_circle(machine: Machine, missing: str) -> None:
    (machine.folder / missing).unlink()
    done = machine.run("create")
    assert f"{missing} is not on PATH" in done.stderr and "make up" not in done.stderr, done.stderr

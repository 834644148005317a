"""The preflight of a cluster's creation: every problem at once, with what is there, what is wanted and the way out."""

from __future__ import annotations

import json
import socket
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from components.cluster.machine import NEEDS, PINNED_ENGINE, preflight_environment
from components.kind.preflight import PINNED_KIND, PINNED_PACKAGES
from tests.unit.kind_machine import Machine
from tests.unit.recording import ROOT
from toolchain import pins


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with enough of everything and no cluster."""
    return Machine(tmp_path)


def test_every_problem_is_told_at_once_with_its_numbers_and_way_out(machine: Machine) -> None:
    machine.has({"NCPU": 1, "MemTotal": 2**30, "DockerRootDir": str(machine.folder)})
    machine.environment |= {
        "MINIMUM_DISK_GIB": "1e9",
        "PROFILE": "released",
        "ENGINE": "the engine is too new",
        "PACKAGES": json.dumps({**PINNED_PACKAGES, "pulumi-command": "0.9"}),
    }
    (machine.folder / "kind-version").write_text("kind v0.20.0 go1.20 linux/amd64\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", machine.port))
        taken.listen()
        done = machine.run("create")
    assert done.returncode == 1 and "create cluster" not in machine.calls, "a creation that cannot succeed is tried"
    for told in (
        "1 CPUs; the profile released wants 2",
        "1.0 GiB of memory; the profile released wants 4",
        "knative.profile' small",
        "GiB free; the cluster and its images want 1e+09",
        "the engine is too new",
        f"kind is 0.20.0; wanted {PINNED_KIND}",
        f"pulumi-command is 0.9; wanted {PINNED_PACKAGES['pulumi-command']}",
        f"port {machine.port} on 127.0.0.1",
    ):
        assert told in done.stderr, f"not told: {told}\n{done.stderr}"
    assert "Traceback" not in done.stderr, "a person gets a traceback"


def test_the_small_profile_is_not_offered_to_who_has_it(machine: Machine) -> None:
    machine.has({"NCPU": 1, "MemTotal": 2**33})
    assert "knative.profile" not in machine.run("create").stderr, "a way out that leads nowhere"


def test_a_disk_inside_of_a_virtual_machine_is_no_problem(machine: Machine) -> None:
    machine.has({"NCPU": 2, "MemTotal": 2**33, "DockerRootDir": "/not/on/this/machine"})
    machine.environment["MINIMUM_DISK_GIB"] = "1e9"
    assert machine.run("create").returncode == 0, "Docker on a Mac cannot have a cluster"


def test_the_pinned_versions_are_the_toolchains_and_the_locks() -> None:
    assert (PINNED_ENGINE, PINNED_KIND) == (pins.PULUMI, pins.KIND)
    assert {
        "pulumi": pins.PULUMI_SDK,
        **{f"pulumi-{name}": version for name, version in pins.PLUGINS.items()},
    } == PINNED_PACKAGES
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {f"{name}=={version}" for name, version in PINNED_PACKAGES.items()} <= set(required)


@pytest.mark.parametrize("profile", NEEDS)
def test_the_program_tells_the_preflight_all_that_it_reads(profile: str, machine: Machine) -> None:
    told = preflight_environment(profile)
    assert told["PACKAGES"] == json.dumps({name: metadata.version(name) for name in PINNED_PACKAGES})
    machine.has({"NCPU": 64, "MemTotal": 2**40})
    machine.environment |= told
    assert machine.run("create").returncode == 0, "what the program says is not understood"

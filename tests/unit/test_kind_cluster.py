"""The command that makes, reads and deletes the kind cluster, run against stand-ins of docker and kind."""

from __future__ import annotations

import json
import signal
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.kind_machine import Machine, node


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with enough of everything and no cluster."""
    return Machine(tmp_path)


def test_a_creation_prints_the_kubeconfig_and_nothing_else_to_stdout(machine: Machine) -> None:
    done = machine.run("create")
    assert (done.returncode, done.stdout) == (0, "the kubeconfig\n"), f"stdout is not the kubeconfig alone: {done}"
    assert "kubeconfig" not in done.stderr, "the kubeconfig is in the log"
    assert machine.clusters == ["dev"], "no cluster was made, or another"


@pytest.mark.parametrize("marker", [None, "another-stacks"])
def test_a_foreign_cluster_of_the_name_is_refused_and_left_alone(machine: Machine, marker: str | None) -> None:
    machine.runs(node("dev", marker))
    done = machine.run("create")
    assert done.returncode == 1 and not done.stdout, "a foreign cluster was adopted"
    assert machine.clusters == ["dev"] and "delete cluster" not in machine.calls, "a foreign cluster was removed"
    assert "this stack did not create it" in done.stderr and "knative-releases:cluster.name" in done.stderr, done.stderr


def test_a_cluster_that_is_only_in_part_ours_is_foreign(machine: Machine) -> None:
    machine.runs(node("dev", "ours"), node("dev", None))
    assert machine.run("create").returncode == 1 and machine.clusters == ["dev", "dev"], "a foreign node was removed"


def test_our_own_unfinished_cluster_is_removed_and_made_anew(machine: Machine) -> None:
    machine.runs(node("dev", "ours"), node("other", None))
    done = machine.run("create")
    assert done.returncode == 0, f"an interrupted `up` cannot be run again: {done.stderr}"
    assert machine.clusters == ["other", "dev"], "another cluster was removed, or the old one kept"
    assert "unfinished" in done.stderr, "a cluster is removed without a word"


def test_a_failed_creation_removes_what_it_made_and_nothing_else(machine: Machine) -> None:
    machine.runs(node("other", None))
    (machine.folder / "fails").touch()
    done = machine.run("create")
    assert done.returncode == 1 and not done.stdout, "a failed creation passes for a cluster"
    assert "the node did not start" in done.stderr, "kind's reason is lost"
    assert machine.clusters == ["other"], "a failed creation leaves a container behind, or removes another cluster"


def test_a_cluster_that_somebody_else_made_meanwhile_is_left_alone(machine: Machine) -> None:
    (machine.folder / "raced").write_text(json.dumps([node("dev", None)]))
    done = machine.run("create")
    assert done.returncode == 1 and "already exist" in done.stderr, done.stderr
    assert machine.clusters == ["dev"], "the cleaning up after a failed creation removed a foreign cluster"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_creation_removes_what_it_made(machine: Machine, number: signal.Signals) -> None:
    hangs = machine.folder / "hangs"
    hangs.touch()
    process = machine.start("create")
    for _ in range(500):
        if hangs.read_text():
            break
        time.sleep(0.02)
    assert machine.clusters == ["dev"], "the creation did not begin: this test proves nothing"
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 128 + number, f"an interruption is told as {process.returncode}: {stderr}"
    assert machine.clusters == [], "an interrupted `up` leaves a container behind"
    assert "Traceback" not in stderr, "a person who interrupts gets a traceback"


def test_every_problem_is_told_at_once_without_a_traceback(machine: Machine) -> None:
    machine.has({"NCPU": 1, "MemTotal": 2**30})
    (machine.folder / "kind").unlink()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", machine.port))
        taken.listen()
        done = machine.run("create")
    assert done.returncode == 1, "a creation that cannot succeed is tried"
    for told in ("1 CPUs", "1.0 GiB", "kind is not on PATH", f"port {machine.port} on 127.0.0.1", "cluster.httpPort"):
        assert told in done.stderr, f"not told: {told}\n{done.stderr}"
    assert "Traceback" not in done.stderr, "a person gets a traceback"


def test_a_taken_port_is_found_before_anything_is_made(machine: Machine) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", machine.port))  # a server of somebody else, on every address
        taken.listen()
        done = machine.run("create")
    assert done.returncode == 1 and "create cluster" not in machine.calls, "kind is run in vain"
    assert "Address already in use" in done.stderr, done.stderr


def test_a_docker_that_does_not_answer_is_told_with_its_reason(machine: Machine) -> None:
    (machine.folder / "info").unlink()
    done = machine.run("create")
    assert "Cannot connect to the Docker daemon" in done.stderr and "systemctl start docker" in done.stderr, done.stderr
    assert "create cluster" not in machine.calls, "kind is run in vain"


def test_a_docker_whose_server_is_down_says_so_although_the_client_succeeds(machine: Machine) -> None:
    machine.has({"ServerErrors": ["permission denied"], "NCPU": 0, "MemTotal": 0})
    done = machine.run("create")
    assert "permission denied" in done.stderr and "0 CPUs" not in done.stderr, done.stderr


def test_a_machine_without_docker_is_told_so(machine: Machine) -> None:
    (machine.folder / "docker").unlink()
    done = machine.run("create")
    assert done.returncode == 1 and "docker is not on PATH" in done.stderr and "Traceback" not in done.stderr, (
        done.stderr
    )


def test_a_deletion_removes_our_cluster_alone(machine: Machine) -> None:
    machine.runs(node("dev", "ours"), node("other", None))
    assert machine.run("delete").returncode == 0
    assert machine.clusters == ["other"], "our cluster stays, or another one is removed"


@pytest.mark.parametrize("containers", [[], [node("dev", None)], [node("dev", "another-stacks")]])
def test_a_deletion_ignores_what_is_missing_or_foreign(machine: Machine, containers: list[dict[str, Any]]) -> None:
    machine.runs(*containers)
    done = machine.run("delete")
    assert done.returncode == 0, f"a destroy cannot end: {done.stderr}"
    assert "delete cluster" not in machine.calls, "a foreign cluster was removed"
    assert "nothing to delete" in done.stderr, "nobody is told"


def test_the_kubeconfig_can_be_read_again(machine: Machine) -> None:
    assert machine.run("kubeconfig").stdout == "the kubeconfig\n"


@pytest.mark.parametrize("verbs", [(), ("remove",), ("create", "delete")])
def test_another_verb_is_refused(machine: Machine, verbs: tuple[str, ...]) -> None:
    done = machine.run(*verbs)
    assert done.returncode == 1 and "usage" in done.stderr and not machine.calls, "a mistyped verb did something"

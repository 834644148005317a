"""The command that makes, reads and deletes the kind cluster, run against stand-ins of docker and kind."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from components.commands.kind_cluster import MARKER_LINE
from tests.unit.kind_machine import Machine, node


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with enough of everything and no cluster."""
    return Machine(tmp_path)


def removed(machine: Machine) -> list[str]:
    """What was asked for that removes containers."""
    return [call for call in machine.calls if call.startswith(("docker rm", "kind delete"))]


def test_a_creation_prints_the_kubeconfig_and_nothing_else_to_stdout(machine: Machine) -> None:
    done = machine.run("create")
    line, _, kubeconfig = done.stdout.partition("\n")
    assert (done.returncode, kubeconfig) == (0, "the kubeconfig\n"), f"stdout is not the kubeconfig alone: {done}"
    assert line.startswith(f"{MARKER_LINE}ours-"), "a deletion would not know its own cluster"
    assert "kubeconfig" not in done.stderr, "the kubeconfig is in the log"
    assert machine.clusters == ["dev"], "no cluster was made, or another"


@pytest.mark.parametrize("marker", [None, "another-stacks-1"])
def test_a_foreign_cluster_of_the_name_is_refused_and_left_alone(machine: Machine, marker: str | None) -> None:
    machine.runs(node("dev", marker))
    done = machine.run("create")
    assert done.returncode == 1 and not done.stdout, "a foreign cluster was adopted"
    assert machine.clusters == ["dev"] and not removed(machine), "a foreign cluster was removed"
    assert "this stack did not create it" in done.stderr and "knative-releases:cluster.name" in done.stderr, done.stderr


def test_a_cluster_that_is_only_in_part_ours_is_foreign(machine: Machine) -> None:
    machine.runs(node("dev", "ours-1"), node("dev", None))
    assert machine.run("create").returncode == 1 and machine.clusters == ["dev", "dev"], "a foreign node was removed"


def test_our_own_unfinished_cluster_is_removed_and_made_anew(machine: Machine) -> None:
    machine.runs(node("dev", "ours-1"), node("other", None))
    done = machine.run("create")
    assert done.returncode == 0, f"an interrupted `up` cannot be run again: {done.stderr}"
    assert machine.clusters == ["other", "dev"], "another cluster was removed, or the old one kept"
    assert "removing the cluster dev" in done.stderr, "a cluster is removed without a word"


def test_a_failed_creation_removes_what_it_made_and_nothing_else(machine: Machine) -> None:
    machine.runs(node("other", None))
    machine.fails("create")
    done = machine.run("create")
    assert done.returncode == 1 and not done.stdout, "a failed creation passes for a cluster"
    assert "the node did not start" in done.stderr, "kind's reason is lost"
    assert machine.clusters == ["other"], "a failed creation leaves a container behind, or removes another cluster"


@pytest.mark.parametrize(("moment", "told"), [("raced", "already exist"), ("collides", "already in use")])
def test_a_cluster_that_somebody_else_made_meanwhile_is_left_alone(machine: Machine, moment: str, told: str) -> None:
    (machine.folder / moment).write_text(json.dumps([node("dev", "another-stacks-1")]))
    done = machine.run("create")
    assert done.returncode == 1 and told in done.stderr, done.stderr
    assert machine.clusters == ["dev"], "the cleaning up after a failed creation removed a foreign cluster"


def test_a_cluster_that_docker_is_removing_already_is_waited_for(machine: Machine) -> None:
    machine.runs(node("dev", "ours-1"))
    machine.fails("rm")
    done = machine.run("create")
    assert done.returncode == 0 and len(machine.clusters) == 1, f"an interrupted `destroy` stops the next `up`: {done}"


def test_a_container_that_goes_while_docker_is_asked_is_no_error(machine: Machine) -> None:
    (machine.folder / "ghosts").write_text("gone")
    done = machine.run("create")
    assert done.returncode == 0, f"somebody else's container stops our `up`: {done.stderr}"


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
    assert done.returncode == 1 and "kind create cluster" not in machine.calls, "kind is run in vain"
    assert "Address already in use" in done.stderr, done.stderr


def test_a_docker_that_does_not_answer_is_told_with_its_reason(machine: Machine) -> None:
    (machine.folder / "info").unlink()
    done = machine.run("create")
    assert "Cannot connect to the Docker daemon" in done.stderr and "Start " in done.stderr, done.stderr
    assert "kind create cluster" not in machine.calls, "kind is run in vain"


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


def test_a_replaced_cluster_goes_first_whatever_its_name_and_port(machine: Machine) -> None:
    machine.runs(node("old-name", "ours-1", machine.port), node("other", None))
    with socket.socket() as taken:  # by the old cluster
        taken.bind(("127.0.0.1", machine.port))
        taken.listen()
        done = machine.run("create")
    assert done.returncode == 0, f"the port of one's own cluster is refused: {done.stderr}"
    assert machine.clusters == ["other", "dev"], "the old cluster stays beside the new one"


def test_a_problem_is_found_before_the_old_cluster_goes(machine: Machine) -> None:
    machine.has({"NCPU": 1, "MemTotal": 8 * 2**30})
    machine.runs(node("old-name", "ours-1"))
    assert machine.run("create").returncode == 1 and machine.clusters == ["old-name"], "a refusal cost the old cluster"


def test_a_deletion_removes_the_cluster_of_its_own_creation_alone(machine: Machine) -> None:
    created = machine.run("create").stdout
    machine.runs(*json.loads((machine.folder / "containers").read_text()), node("other", None))
    assert machine.run("delete", created=created).returncode == 0
    assert machine.clusters == ["other"], "our cluster stays, or another one is removed"


def test_a_deletion_leaves_the_cluster_that_replaced_its_own(machine: Machine) -> None:
    first = machine.run("create").stdout
    second = machine.run("create").stdout
    assert first != second and machine.clusters == ["dev"], "two creations look alike"
    assert machine.run("delete", created=first).returncode == 0
    assert machine.clusters == ["dev"], "the end of a replacement removed the new cluster"


def test_neither_creation_nor_deletion_writes_the_users_kubeconfig(machine: Machine) -> None:
    created = machine.run("create").stdout
    assert machine.run("delete", created=created).returncode == 0 and not machine.clusters
    written = (machine.folder / "kubeconfigs").read_text()
    assert written.startswith(str(machine.folder)), f"kind puts a context into {written}, or takes one out"
    assert not Path(written).exists() and machine.left == ["ours"], "the administrator's kubeconfig is left in a file"


@pytest.mark.parametrize("containers", [[], [node("dev", None)], [node("dev", "another-stacks-1")]])
def test_a_deletion_ignores_what_is_missing_or_foreign(machine: Machine, containers: list[dict[str, Any]]) -> None:
    machine.runs(*containers)
    done = machine.run("delete", created=f"{MARKER_LINE}ours-1\nthe kubeconfig\n")
    assert done.returncode == 0, f"a destroy cannot end: {done.stderr}"
    assert not removed(machine), "a foreign cluster was removed"
    assert "nothing to delete" in done.stderr, "nobody is told"


def test_a_deletion_of_a_creation_that_printed_nothing_leaves_foreign_clusters_alone(machine: Machine) -> None:
    machine.runs(node("dev", None))
    assert machine.run("delete", created="").returncode == 0, "a destroy cannot end"
    assert machine.clusters == ["dev"], "a cluster without a mark was taken for this stack's"


def test_a_sweep_removes_what_the_stack_does_not_know_of(machine: Machine) -> None:
    machine.runs(node("left-over", "ours-1"), node("other", None), node("third", "another-stacks-1"))
    assert machine.run("sweep", created="ours").returncode == 0
    assert machine.clusters == ["other", "third"], "an orphan stays after a destroy, or a foreign cluster is removed"
    assert not machine.left, "a destroy leaves a file behind"


def test_a_sweep_without_a_word_does_nothing(machine: Machine) -> None:
    machine.runs(node("dev", "ours-1"))
    assert machine.run("sweep").returncode == 1 and machine.clusters == ["dev"], "everybody's clusters are swept"


def test_a_sweep_where_there_is_no_docker_has_nothing_to_do(machine: Machine) -> None:
    (machine.folder / "docker").unlink()
    assert machine.run("sweep", created="ours").returncode == 0, "a destroy cannot end"


def test_the_kubeconfig_can_be_read_again(machine: Machine) -> None:
    created = machine.run("create").stdout
    assert machine.run("kubeconfig").stdout == created, "an update changes the kubeconfig, and with it everything"


def test_the_kubeconfig_of_a_cluster_that_is_gone_is_told(machine: Machine) -> None:
    done = machine.run("kubeconfig")
    assert done.returncode == 1 and "is gone" in done.stderr, done


@pytest.mark.parametrize("verbs", [(), ("remove",), ("create", "delete")])
def test_another_verb_is_refused(machine: Machine, verbs: tuple[str, ...]) -> None:
    done = machine.run(*verbs)
    assert done.returncode == 1 and "usage" in done.stderr and not machine.calls, "a mistyped verb did something"

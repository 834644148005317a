"""A creation that is interrupted, as the command provider does it (its process alone is killed) and in other ways; then
the next one. docker and kind are stand-ins, real processes with the real lock.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.commands.kind_cluster import MARKER_LINE
from tests.unit.kind_machine import Machine, node


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine with enough of everything and no cluster."""
    machine = Machine(tmp_path)
    yield machine
    machine.end()


def interrupted(machine: Machine, verb: str, *command: str, silent: bool = True) -> int:
    """The process of a verb of kind or docker that runs on after the command that started it was killed, alone.

    silent: it prints nothing; else it prints, into a pipe that nobody reads.
    """
    machine.hangs(verb)
    if silent:
        (machine.folder / "silent").touch()
    process = machine.start(*(command or ("create",)))
    orphan = machine.begun(verb)
    process.kill()
    process.communicate(timeout=120)
    return orphan


def waiting(machine: Machine, *command: str, created: str = "") -> subprocess.Popen[str]:
    """A command that has said that it waits for an interrupted one."""
    process = machine.start(*command, created=created)
    assert process.stderr
    line = process.stderr.readline()
    said = re.search(r"waiting for the end of a creation that an interrupted run began at \d\d:\d\d:\d\d", line)
    if not said:
        process.kill()
        raise AssertionError(f"two creations of one cluster at once: {line}{process.stderr.read()}")
    return process


def made(process: subprocess.Popen[str]) -> str:
    """The marker of the cluster that a command made."""
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, f"an interrupted `up` cannot be run again: {errors}"
    return output.partition("\n")[0].removeprefix(MARKER_LINE)


def markers(machine: Machine) -> list[str]:
    """The markers of the containers that are there."""
    mounts = [each["Mounts"] for each in json.loads((machine.folder / "containers").read_text())]
    return [mount[-1]["Destination"].rpartition("/")[2] for mount in mounts]


def ends(machine: Machine, verb: str, orphan: int, how: str) -> None:
    """Let the orphan come to its end: it succeeds, fails or is killed."""
    if how == "killed":
        os.kill(orphan, signal.SIGKILL)
    if how == "fails":
        machine.fails(verb)
    machine.goes_on(verb)


@pytest.mark.parametrize("how", ["succeeds", "fails", "killed"])
def test_the_next_creation_waits_for_an_orphaned_kind_and_takes_its_place(machine: Machine, how: str) -> None:
    orphan = interrupted(machine, "create")
    second = waiting(machine, "create")
    assert len(machine.clusters) == 1, "the next creation did not wait"
    ends(machine, "create", orphan, how)
    marker = made(second)
    assert markers(machine) == [marker], "the orphan took the new cluster away, or left its own"


@pytest.mark.parametrize("how", ["succeeds", "fails", "killed"])
def test_the_next_creation_waits_for_an_orphaned_pull(machine: Machine, how: str) -> None:
    machine.knows()
    orphan = interrupted(machine, "pull")
    assert machine.clusters == [], "something was made before the image was there"
    second = waiting(machine, "create")
    ends(machine, "pull", orphan, how)
    marker = made(second)
    assert markers(machine) == [marker]
    pulls = [call for call in machine.calls if call.startswith("docker pull")]
    assert len(pulls) == (1 if how == "succeeds" else 2), "what the orphan pulled is pulled again, or the rest is not"


def test_an_orphan_that_prints_ends_by_it(machine: Machine) -> None:
    interrupted(machine, "create", silent=False)
    second = machine.run("create")
    assert second.returncode == 0 and len(markers(machine)) == 1, second


def test_the_next_creation_waits_for_an_orphaned_removal(machine: Machine) -> None:
    machine.runs(node("dev", "ours-1"), node("other", None))
    interrupted(machine, "rm")
    second = waiting(machine, "create")
    assert machine.clusters == ["dev", "other"], "the next creation did not wait"
    machine.goes_on("rm")
    marker = made(second)
    assert machine.clusters == ["other", "dev"] and markers(machine)[1] == marker


def test_an_orphaned_removal_takes_its_own_cluster_alone(machine: Machine) -> None:
    first = machine.run("create").stdout
    machine.hangs("rm")
    process = machine.start("delete", created=first)
    machine.begun("rm")
    process.kill()
    process.communicate(timeout=120)
    machine.runs(node("dev", "another-stacks-1"))  # somebody else's, of the name that is free by now
    machine.goes_on("rm")
    assert machine.run("sweep", created="ours").returncode == 0  # waits for the orphan
    assert machine.clusters == ["dev"], "the end of an interrupted `destroy` removed a foreign cluster"


def test_a_sweep_waits_for_an_orphaned_kind_and_leaves_nothing(machine: Machine) -> None:
    orphan = interrupted(machine, "create")
    sweep = waiting(machine, "sweep", created="ours")
    ends(machine, "create", orphan, "succeeds")
    _, errors = sweep.communicate(timeout=120)
    assert sweep.returncode == 0, errors
    assert machine.clusters == [], "a destroy leaves the cluster of an orphaned creation"
    assert not machine.left, "a destroy leaves a file, or the administrator's kubeconfig, behind"


def test_the_kubeconfig_of_an_orphan_goes(machine: Machine) -> None:
    orphan = interrupted(machine, "create")
    second = waiting(machine, "create")
    ends(machine, "create", orphan, "succeeds")
    made(second)
    assert machine.left == ["ours"], "the administrator's kubeconfig is left in a file"


def test_a_creation_whose_own_process_runs_on_is_waited_for(machine: Machine) -> None:
    machine.hangs("create")
    orphan = machine.start("create")
    machine.begun("create")
    second = waiting(machine, "create")
    machine.goes_on("create")
    orphan.communicate(timeout=120)
    marker = made(second)
    assert markers(machine) == [marker], "the orphan's end took the new cluster, or left its own beside it"


def test_nobody_waits_for_a_creation_that_has_ended(machine: Machine) -> None:
    machine.run("create")
    assert "waiting for the end" not in machine.run("create").stderr, "the lock outlives its creation"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("verb", ["create", "pull"])
def test_an_interruption_that_gives_the_time_leaves_nothing(
    machine: Machine, number: signal.Signals, verb: str
) -> None:
    if verb == "pull":
        machine.knows()
    machine.hangs(verb)
    process = machine.start("create")
    machine.begun(verb)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 128 + number, f"an interruption is told as {process.returncode}: {stderr}"
    assert machine.clusters == [], "an interrupted `up` leaves a container behind"
    assert "Traceback" not in stderr, "a person who interrupts gets a traceback"

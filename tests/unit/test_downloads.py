"""What a new cluster downloads: said before it is made, and pulled within limits that a slow line keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.commands.kind_cluster import CREATE_SECONDS, step
from components.kind import node_image, processes
from components.kind.processes import CommandError, watched
from components.sources.downloads import INSIDE, MEGABITS, NODE
from tests.unit import image_archives
from tests.unit.kind_machine import Machine
from tests.unit.recording import record
from tests.unit.test_archives import loaded

IMAGE = "registry.example/node:v1"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A machine with enough of everything and no cluster, which this process asks, too."""
    monkeypatch.setenv("PATH", str(tmp_path))
    machine = Machine(tmp_path)
    yield machine
    machine.end()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the program tells the person who watches it."""
    messages: list[str] = []
    monkeypatch.setattr("pulumi.log.info", lambda message, *_, **__: messages.append(message))
    return messages


@pytest.mark.parametrize("how", [{"lost": True}, {"first_preview": True}], ids=["an update", "the first preview"])
@pytest.mark.usefixtures("machine")
def test_the_amount_is_said_before_a_cluster_is_made(said: list[str], small: Path, how: dict[str, Any]) -> None:
    record({"cluster": {"nodeImage": IMAGE}}, small, **how)
    (line,) = said
    assert "downloads about 1.2 GB" in line and f"at {MEGABITS} Mbit/s" in line, line
    assert all(each.what in line for each in (NODE, *INSIDE)), line


def test_what_is_there_is_not_counted(machine: Machine, said: list[str], small: Path) -> None:
    machine.knows(IMAGE)
    record({"cluster": {"nodeImage": IMAGE}}, small, lost=True)
    assert NODE.what not in said[0] and "Kafka" in said[0] and "738 MB" in said[0], said


def test_what_archives_hold_is_not_counted(machine: Machine, said: list[str], small: Path, tmp_path: Path) -> None:
    machine.knows(IMAGE)
    archive = image_archives.write(tmp_path / "stores.tar", "dev.local/kafka:3", "dev.local/redis:7")
    images = {f"docker.io/bitnamilegacy/{name}": f"dev.local/{name}" for name in ("kafka", "redis")}
    sources = {"archives": [str(archive)], "images": images}
    record({"cluster": {"nodeImage": IMAGE}, "sources": sources}, small, lost=True)
    assert "Kafka" not in said[0] and "Redis" not in said[0] and "PostgreSQL" in said[0], said


@pytest.mark.usefixtures("machine")
def test_nothing_is_said_where_the_cluster_stands(said: list[str], small: Path) -> None:
    record({"cluster": {"nodeImage": IMAGE}}, small)
    assert not said, "every `up` threatens with a download"


def test_the_limits_fit_a_slow_line(small: Path, tmp_path: Path) -> None:
    recorded = loaded(small, tmp_path)

    def seconds(megabytes: int) -> float:
        return megabytes * 8 / MEGABITS

    everything = seconds(sum(each.megabytes for each in INSIDE))
    assert 2 * seconds(NODE.megabytes) < node_image.PULL_SECONDS
    for release in recorded.of_kind("Release"):
        assert release.inputs["timeout"] > everything, f"{release.name} fails on a slow line, though nothing is wrong"
    for workload in recorded.of_kind("Deployment", "StatefulSet"):
        limit = float(workload.custom_timeouts["create"].removesuffix("s"))
        assert limit > everything, f"{workload.name} fails on a slow line, though nothing is wrong"
    kind = recorded.one("Command", "cluster-kind").custom_timeouts["create"]
    steps = node_image.PULL_SECONDS + CREATE_SECONDS
    assert float(kind.removesuffix("h")) * 3600 >= 2 * steps, "the engine kills what keeps to its own limits"


def test_the_image_is_pulled_before_anything_is_made(machine: Machine) -> None:
    machine.knows()
    done = machine.run("create")
    assert done.returncode == 0 and "pulling the node's image node:v1" in done.stderr, done
    wanted = ["docker pull node:v1", "kind create cluster"]
    assert [call for call in machine.calls if call in wanted] == wanted, machine.calls


def test_an_image_that_is_there_is_not_pulled(machine: Machine) -> None:
    done = machine.run("create")
    assert not [call for call in machine.calls if call.startswith("docker pull")] and "pulling" not in done.stderr


def test_a_pull_that_fails_is_told_with_the_reason_and_the_way_and_nothing_is_made(machine: Machine) -> None:
    machine.knows()
    machine.fails("pull")
    done = machine.run("create")
    assert done.returncode == 1 and "kind create cluster" not in machine.calls, "kind pulls again, without a word"
    for told in ("toomanyrequests", "docker pull node:v1", "sources.images"):
        assert told in done.stderr, f"not told: {told}\n{done.stderr}"


def test_a_pull_says_every_minute_how_far_it_is(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "EVERY", 0.05)
    machine.knows()
    machine.hangs("pull")

    def say(line: str) -> None:
        lines.append(line)
        if line.startswith("still") and "1 of 2" in line:
            machine.goes_on("pull")

    lines: list[str] = []
    monkeypatch.setattr(processes, "say", say)
    node_image.pull("node:v1")
    assert any("still pulling the node's image, for 0 s: 1 of 2 layers are there" in line for line in lines), lines
    assert node_image.present("node:v1")


def test_a_pull_that_takes_too_long_is_ended(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_image, "PULL_SECONDS", 1)
    machine.knows()
    machine.hangs("pull")
    with pytest.raises(CommandError, match=r"has not come to its end in 1 s.*(?s:.)*docker pull node:v1"):
        node_image.pull("node:v1")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "no layer is known yet"),
        (["v1: Pulling from kindest/node", "Digest: sha256:1"], "no layer is known yet"),
        (["0123456789ab: Pulling fs layer", "0123456789ab: Download complete"], "0 of 1 layers are there"),
        (["0123456789ab: Pull complete", "cdef01234567: Already exists"], "2 of 2 layers are there"),
    ],
)
def test_layers_are_counted_by_what_docker_prints(lines: list[str], told: str) -> None:
    assert node_image.layers(lines) == told


def test_kind_s_step_is_what_it_printed_last() -> None:
    printed = [
        "Creating cluster ...",
        " • Preparing nodes 📦  ...",
        " ✓ Preparing nodes 📦",
        " • Writing configuration 📜  ...",
    ]
    assert step(printed) == "Writing configuration 📜" and step([]) == ""


def test_a_command_that_fails_while_it_is_watched_gives_its_reason() -> None:
    with pytest.raises(CommandError, match=r"`/bin/sh -c echo because; exit 3` failed:\nbecause"):
        watched("/bin/sh", "-c", "echo because; exit 3", what="it", seconds=60, doing=lambda _: "")

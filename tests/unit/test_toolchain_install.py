"""Installing and the verbs: what stands in .local/bin, and what happens where there is nothing to do."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from tests.unit.toolchain_world import asked, environ, make, with_stack
from toolchain import ToolchainError, steps, verbs
from toolchain.__main__ import main
from toolchain.install import install, link_only
from toolchain.state import Checkout


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=200)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make(tmp_path)


def test_the_folder_holds_links_to_just_what_is_given(tmp_path: Path) -> None:
    cache, folder = tmp_path / "cache", tmp_path / "bin"
    cache.mkdir()
    for name in ("pulumi", "kind", "pulumi-resource-command"):
        (cache / name).write_text(name)
    link_only(folder, [cache / "pulumi", cache / "pulumi-resource-command"])
    link_only(folder, [cache / "pulumi", cache / "kind"])
    assert {p.name: p.readlink() for p in folder.iterdir()} == {"pulumi": cache / "pulumi", "kind": cache / "kind"}


def test_a_wrong_wish_installs_nothing(checkout: Checkout, console: Console) -> None:
    with pytest.raises(ToolchainError, match="SOURCES=none given"):
        install(checkout, environ(checkout, SOURCES="none"), console)
    assert asked(checkout) == []


def test_down_succeeds_where_there_is_no_stack(checkout: Checkout, console: Console) -> None:
    assert verbs.down(checkout, environ(checkout), console) == 0
    assert asked(checkout) == [], "pulumi is not needed to know that there is nothing"


def test_down_succeeds_where_the_stack_is_empty(checkout: Checkout, console: Console) -> None:
    stacks = with_stack(checkout)
    assert verbs.down(checkout, environ(checkout, STACKS=stacks), console) == 0
    assert not [line for line in asked(checkout) if line.startswith("destroy")]


def test_down_destroys_what_is_there_and_tells_when_it_fails(checkout: Checkout, console: Console) -> None:
    stacks = with_stack(checkout, 3)
    assert verbs.down(checkout, environ(checkout, STACKS=stacks), console) == 0
    assert asked(checkout)[-1] == "destroy --yes --skip-preview --stack dev"
    with pytest.raises(ToolchainError, match="ended with 3"):
        verbs.down(checkout, environ(checkout, STACKS=stacks, FAILS="3"), console)


def test_down_without_tools_compiles_none_and_says_how_to_go_on(
    checkout: Checkout, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_stack(checkout, 3)
    (checkout.bin / "pulumi").unlink()
    ran: list[list[str]] = []

    def run(command: list[str], *_: object) -> int:
        ran.append(command)
        return 1

    monkeypatch.setattr(steps, "run", run)
    with pytest.raises(ToolchainError) as refused:
        verbs.down(checkout, environ(checkout, SOURCES="offline"), console)
    assert [command[-1] for command in ran] == ["--from-cache"], "half an hour of compiling to delete a cluster"
    for told in ("make install && make down", "docker rm --force --volumes dev-control-plane"):
        assert told in str(refused.value)


def test_down_without_tools_and_without_resources_needs_none(checkout: Checkout, console: Console) -> None:
    with_stack(checkout, 0)
    (checkout.bin / "pulumi").unlink()
    assert verbs.down(checkout, environ(checkout, SOURCES="offline"), console) == 0


def test_a_failing_pulumi_is_told_with_its_own_words(checkout: Checkout, console: Console) -> None:
    with_stack(checkout)
    (checkout.bin / "pulumi").write_text("#!/bin/sh\necho 'error: incorrect passphrase' >&2; exit 255\n")
    with pytest.raises(ToolchainError, match="ended with 255:\nerror: incorrect passphrase"):
        verbs.down(checkout, environ(checkout), console)


def test_a_step_tells_its_time(console: Console) -> None:
    with steps.step(console, "kind [0.30.0]"):
        pass
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "→ kind [0.30.0] …\n  kind [0.30.0]: 0.0 s\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_is_waited_for_when_it_is_interrupted(number: signal.Signals, tmp_path: Path) -> None:
    """The command tidies up and ends with 7; killed at once, it would not."""
    command = "trap 'sleep 0.5; exit 7' INT TERM; echo ready; while :; do sleep 0.1; done"
    program = (
        "import os, sys; from pathlib import Path; from toolchain import steps; "
        f"sys.exit(steps.run(['sh', '-c', {command!r}], Path({str(tmp_path)!r}), os.environ))"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        # A terminal interrupts the whole group; a termination reaches the one process.
        (os.killpg if number == signal.SIGINT else os.kill)(child.pid, number)
        assert child.wait(10) == 7


def test_the_command_line_lists_its_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    told = capsys.readouterr().out
    assert all(verb in told for verb in ("install", "up", "preview", "down", "status"))

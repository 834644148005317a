"""Installing and the verbs: what stands in .local/bin, and what happens where there is nothing to do."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from toolchain import ToolchainError, steps, verbs
from toolchain.__main__ import main
from toolchain.choose import Choice
from toolchain.install import install, link_only
from toolchain.state import Checkout, environment

FAKE_PULUMI = """#!/bin/sh
echo "$@" >> "$ASKED"
case "$*" in
  *"stack ls"*) echo "$STACKS" ;;
  *"config --json"*) echo "$CONFIG" ;;
esac
exit "${FAILS:-0}"
"""


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=200)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout with a pulumi that only writes down what it was asked (a stand-in)."""
    checkout = Checkout(tmp_path)
    checkout.bin.mkdir(parents=True)
    pulumi = checkout.bin / "pulumi"
    pulumi.write_text(FAKE_PULUMI)
    pulumi.chmod(0o755)
    return checkout


def environ(checkout: Checkout, **more: str) -> dict[str, str]:
    return {"PATH": os.defpath, "ASKED": str(checkout.root / "asked"), **more}


def asked(checkout: Checkout) -> list[str]:
    file = checkout.root / "asked"
    return file.read_text().splitlines() if file.exists() else []


def with_stack(checkout: Checkout) -> None:
    file = checkout.state / ".pulumi" / "stacks" / verbs.PROJECT / "dev.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")


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
    with_stack(checkout)
    stacks = json.dumps([{"name": "dev", "resourceCount": 0}, {"name": "other", "resourceCount": 9}])
    assert verbs.down(checkout, environ(checkout, STACKS=stacks), console) == 0
    assert not [line for line in asked(checkout) if line.startswith("destroy")]


def test_down_destroys_what_is_there_and_tells_when_it_fails(checkout: Checkout, console: Console) -> None:
    with_stack(checkout)
    stacks = json.dumps([{"name": "dev", "resourceCount": 3}])
    assert verbs.down(checkout, environ(checkout, STACKS=stacks), console) == 0
    assert asked(checkout)[-1] == "destroy --yes --skip-preview --stack dev"
    with pytest.raises(ToolchainError, match="ended with 3"):
        verbs.down(checkout, environ(checkout, STACKS=stacks, FAILS="3"), console)


@pytest.mark.parametrize(
    ("sources", "given", "command"),
    [
        ("offline", None, "config set knative-releases:sources .local/sources.yaml --stack dev"),
        ("offline", ".local/sources.yaml", None),
        ("offline", "mirror.yaml", None),
        ("upstream", ".local/sources.yaml", "config rm knative-releases:sources --stack dev"),
        ("upstream", "mirror.yaml", None),
        ("upstream", None, None),
    ],
)
def test_only_our_own_sources_file_is_set_and_removed(
    sources: str, given: str | None, command: str | None, checkout: Checkout
) -> None:
    config = {verbs.SOURCES_KEY: {"value": given}} if given else {}
    env = environment(checkout, environ(checkout, CONFIG=json.dumps(config)))
    verbs.point_sources(checkout, env, Choice("offline" if sources == "offline" else "upstream", "test"))
    assert asked(checkout)[1:] == ([f"--non-interactive {command}"] if command else [])


def test_a_failing_pulumi_is_told_with_its_own_words(checkout: Checkout) -> None:
    (checkout.bin / "pulumi").write_text("#!/bin/sh\necho 'error: incorrect passphrase' >&2; exit 255\n")
    env = environment(checkout, environ(checkout))
    with pytest.raises(ToolchainError, match="ended with 255:\nerror: incorrect passphrase"):
        verbs.point_sources(checkout, env, Choice("offline", "test"))


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


def test_another_release_of_knative_is_built_beside_the_default_one(
    checkout: Checkout, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("offline.engine.ensure_running", lambda _: False)
    monkeypatch.setattr(steps, "run", lambda command, *_: ran.append(" ".join(command[2:])))
    install(checkout, environ(checkout, SOURCES="offline", KNATIVE="1.23.0"), console)
    build = f"offline build --bin {checkout.bin} --sources {checkout.local}"
    assert ran == [f"{build}/sources.yaml", f"{build}/sources-1.23.0.yaml --knative 1.23.0"]


def test_an_unknown_release_of_knative_builds_nothing(
    checkout: Checkout, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("offline.engine.ensure_running", lambda _: False)
    monkeypatch.setattr(steps, "run", lambda *_: pytest.fail("something is built"))
    with pytest.raises(ToolchainError, match=r"KNATIVE=1\.99\.0 given; wanted 1\.23\.0, or nothing for 1\.10\.2"):
        install(checkout, environ(checkout, SOURCES="offline", KNATIVE="1.99.0"), console)


def test_building_offline_leaves_no_upstream_tool_behind(
    checkout: Checkout, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker and the build are stand-ins that succeed."""
    cache = checkout.root / "cache" / "upstream-kind-0123456789ab"
    cache.mkdir(parents=True)
    (cache / "kind").touch()
    (checkout.bin / "kind").symlink_to(cache / "kind")
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("offline.engine.ensure_running", lambda _: False)
    monkeypatch.setattr("sys.executable", "true")
    install(checkout, environ(checkout, SOURCES="offline"), console)
    assert [p.name for p in checkout.bin.iterdir()] == ["pulumi"]


def test_offline_is_refused_where_it_cannot_be_built(
    checkout: Checkout, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    with pytest.raises(ToolchainError, match=r"Only Linux on x86_64 .*make up SOURCES=upstream"):
        install(checkout, environ(checkout, SOURCES="offline"), console)

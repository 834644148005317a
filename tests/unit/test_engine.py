"""The Docker engine's life cycle, with processes of the test's own in place of dockerd."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from offline import engine, engine_host


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that sleeps, ended after the test."""
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield sleeper
    sleeper.kill()
    sleeper.wait()


def record(state: Path, pid: int, identity: str | None) -> None:
    (state / "engine.json").write_text(json.dumps({"pid": pid, "identity": identity}))


def test_stop_ends_the_recorded_process_and_cleans_its_record(tmp_path: Path, process: subprocess.Popen[bytes]) -> None:
    record(tmp_path, process.pid, engine_host.process_identity(process.pid))
    engine.stop(tmp_path)
    assert process.poll() is not None, "stop returned while the engine still ran"
    assert not (tmp_path / "engine.json").exists()


def test_stop_spares_another_process_that_got_the_recorded_pid(
    tmp_path: Path, process: subprocess.Popen[bytes]
) -> None:
    record(tmp_path, process.pid, "an earlier boot 123")
    engine.stop(tmp_path)
    assert process.poll() is None, "a process that we did not start was ended"
    assert not (tmp_path / "engine.json").exists(), "a stale record would be asked about for ever"


def test_stop_does_nothing_where_nothing_was_started(tmp_path: Path) -> None:
    engine.stop(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()


def test_an_engine_that_answers_is_used_and_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "answers", lambda: True)
    assert engine.ensure_running(tmp_path / "state") is False
    assert not (tmp_path / "state").exists()


def test_a_silent_docker_host_is_named_and_no_other_engine_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "answers", lambda: False)
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2375")
    with pytest.raises(engine.EngineError, match=r"DOCKER_HOST=tcp://elsewhere:2375.*unset DOCKER_HOST"):
        engine.ensure_running(tmp_path)


def test_without_root_the_error_says_how_to_start_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "answers", lambda: False)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(engine.EngineError, match="systemctl start docker"):
        engine.ensure_running(tmp_path)


def test_identity_tells_processes_apart_and_is_none_without_one(process: subprocess.Popen[bytes]) -> None:
    identity = engine_host.process_identity(process.pid)
    assert identity == engine_host.process_identity(process.pid)
    assert identity != engine_host.process_identity(os.getpid())
    process.kill()
    process.wait()
    assert engine_host.process_identity(process.pid) is None


@pytest.mark.parametrize(("bounding", "can"), [("000001fffeffffff", False), ("000001ffffffffff", True)])
def test_the_wrapper_is_for_machines_without_the_capability_alone(bounding: str, can: bool) -> None:
    assert engine_host.can_raise_limits(f"Name:\tpython\nCapBnd:\t{bounding}\nCapAmb:\t0\n") is can


@pytest.mark.parametrize("pid", ["999999999", str(os.getpid())])
def test_the_pid_of_a_dead_containerd_does_not_stop_dockerd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pid: str
) -> None:
    left = tmp_path / "containerd.pid"
    left.write_text(pid)
    monkeypatch.setattr(engine_host, "CONTAINERD_RECORD", left)
    engine_host.drop_stale_containerd_record()
    assert not left.exists()


WRAPPER_PROCESS = {
    "oomScoreAdj": -500,
    "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "ambient": None},
}


@pytest.mark.parametrize(
    ("arguments", "file", "content"),
    [
        (["--root", "/r", "create", "--bundle", "{}", "id"], "config.json", {"process": WRAPPER_PROCESS}),
        (["create", "--bundle={}", "id"], "config.json", {"process": WRAPPER_PROCESS}),
        (["exec", "--process", "{}/process.json", "--detach", "id"], "process.json", WRAPPER_PROCESS),
    ],
)
def test_the_wrapper_takes_out_what_needs_the_capability_and_no_more(
    tmp_path: Path, arguments: list[str], file: str, content: dict[str, object]
) -> None:
    (tmp_path / file).write_text(json.dumps(content))
    runc = tmp_path / "runc"
    runc.write_text('#!/bin/sh\necho "$@"\n')
    runc.chmod(0o755)
    given = [argument.format(tmp_path) for argument in arguments]
    ran = subprocess.run(
        [sys.executable, str(engine_host.RUNTIME_WRAPPER), *given],
        capture_output=True,
        text=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=True,
    )
    assert ran.stdout.split() == given, "runc has to get the arguments as they were given"
    left = json.loads((tmp_path / file).read_text())
    assert left.get("process", left) == {"capabilities": {"bounding": ["CAP_CHOWN"], "ambient": []}}


def test_a_package_that_cannot_be_installed_is_named_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\nexit 100\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(engine_host.HostError, match=r"could not install docker\.io.*apt-get install docker\.io"):
        engine_host.install({"dockerd": "docker.io"})

"""The stack as a rollout uses it, against a pulumi that stands in: where it is found, ctrl-C, and locks."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rollout import RolloutError
from rollout.stack import Stack, UpdateError

PULUMI = """#!/bin/sh
cd {folder}
echo "$*" >> asked
case "$*" in
*history*) [ -e broken ] && exit 1; echo '[]' ;;
*output*) echo '{{}}' ;;
cancel*) rm -f locked ;;
up*)
    if [ -e locked ]; then cat locked >&2; exit 255; fi
    if [ -e slow ]; then
        trap 'sleep 0.5; echo cancelled; touch ended; exit 1' INT
        touch running
        sleep 30 >/dev/null 2>&1 & wait
    fi
    exit 1 ;;
esac
"""
LOCKED = "error: the stack is currently locked by {} lock(s)\n"


def environ(folder: Path, backend: str = "file:///nowhere") -> dict[str, str]:
    """An environment with a pulumi that stands in; it works in the folder."""
    (folder / "tools").mkdir()
    pulumi = folder / "tools" / "pulumi"
    pulumi.write_text(PULUMI.format(folder=folder))
    pulumi.chmod(0o755)
    return {"PATH": f"{pulumi.parent}{os.pathsep}{os.environ['PATH']}", "PULUMI_BACKEND_URL": backend}


def dead_process() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def lock(folder: Path, *processes: int) -> None:
    """The stack is locked by processes of this user on this machine."""
    who = f"{getpass.getuser()}@{socket.gethostname()}"
    lines = [f"  file:///state: created by {who} (pid {each}) at 2026-11-23T14:00:00Z\n" for each in processes]
    (folder / "locked").write_text(LOCKED.format(len(processes)) + "".join(lines))


def test_pulumi_is_found_on_the_path_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = environ(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    assert Stack("dev", tmp_path, given, print).outputs() == {}
    with pytest.raises(RolloutError, match="pulumi is not installed: make install"):
        Stack("dev", tmp_path, {"PATH": "/nowhere"}, print)


def test_a_stack_that_cannot_be_read_later_is_an_error_with_words(tmp_path: Path) -> None:
    stack = Stack("dev", tmp_path, environ(tmp_path), print)
    (tmp_path / "broken").touch()
    with pytest.raises(RolloutError, match=r"(?s)The stack dev cannot be read.*make up"):
        stack.last()


def test_ctrl_c_lets_pulumi_end_the_update_in_order(tmp_path: Path) -> None:
    stack = Stack("dev", tmp_path, environ(tmp_path), print)
    (tmp_path / "slow").touch()

    def interrupt() -> None:
        while not (tmp_path / "running").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        for child in children:  # a terminal tells them as well
            os.kill(int(child), signal.SIGINT)

    ctrl_c = threading.Thread(target=interrupt)
    ctrl_c.start()
    with pytest.raises(KeyboardInterrupt):
        stack.up("a step")
    ctrl_c.join()
    assert (tmp_path / "ended").exists(), "pulumi was not waited for"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_lock_of_dead_processes_is_taken_away(tmp_path: Path) -> None:
    said: list[str] = []
    stack = Stack("dev", tmp_path, environ(tmp_path), said.append)
    lock(tmp_path, dead_process(), dead_process())
    with pytest.raises(UpdateError):
        stack.up("a step")
    assert "its lock is taken away" in said[0] and not (tmp_path / "locked").exists()


@pytest.mark.parametrize(("backend", "living"), [("file:///nowhere", True), ("s3://everybodys", False)])
def test_the_lock_of_somebody_who_may_live_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str, living: bool
) -> None:
    stack = Stack("dev", tmp_path, environ(tmp_path, backend), lambda _: None)
    lock(tmp_path, dead_process(), *([os.getpid()] if living else []))
    monkeypatch.setattr("rollout.stack.LOCK_SECONDS", 0.0)
    with pytest.raises(RolloutError, match=r"is being updated.*pulumi cancel --stack dev"):
        stack.up("a step")
    assert (tmp_path / "locked").exists()


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("kubernetes:Service (x):\n  error: x is not ready\n    log of pod: secret", "x is not ready"),
        ("Stack (dev):\n  error: update failed\nService (x):\n  error: no such image", "no such image"),
        ("Stack (dev):\n  error: update failed", "update failed"),
        ("no such thing\nmore", "no such thing"),
        ("", "unknown"),
    ],
)
def test_the_reason_of_a_failed_update_is_its_first_error_alone(told: str, reason: str) -> None:
    assert UpdateError(told).reason == reason

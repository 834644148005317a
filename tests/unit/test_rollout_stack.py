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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rollout import RolloutError, stopped
from rollout.stack import Stack
from rollout.stopped import Stopped
from rollout.update import Order, UpdateError

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


def order(**more: Any) -> Order:
    """An update, of nothing."""
    return Order(message="a step", config=Path("deployed.yaml"), **more)


@pytest.fixture
def signals() -> Iterator[None]:
    """The tool listens to signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    stopped.listen(lambda: None)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def signalled(folder: Path, *numbers: int) -> threading.Thread:
    """Somebody sends this process signals while pulumi runs."""

    def send() -> None:
        while not (folder / "running").exists():
            time.sleep(0.02)
        for number in numbers:
            os.kill(os.getpid(), number)
            time.sleep(0.3)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("signals")
def test_a_signal_lets_pulumi_end_the_update_in_order(tmp_path: Path, number: int) -> None:
    stack = Stack("dev", tmp_path, environ(tmp_path), print)
    (tmp_path / "slow").touch()
    sender = signalled(tmp_path, number)
    with pytest.raises(Stopped) as ended:
        stack.up(order())
    sender.join()
    assert ended.value.code == 128 + number
    assert (tmp_path / "ended").exists(), "pulumi was not waited for"


@pytest.mark.usefixtures("signals")
def test_the_update_of_an_end_is_ended_by_a_second_signal_alone(tmp_path: Path) -> None:
    stack = Stack("dev", tmp_path, environ(tmp_path), print)
    (tmp_path / "slow").touch()
    sender = signalled(tmp_path, signal.SIGTERM, signal.SIGTERM)
    begun = time.monotonic()
    with pytest.raises(Stopped):
        stack.up(order(finish=True))
    sender.join()
    assert time.monotonic() - begun > 0.6 and (tmp_path / "ended").exists()


def test_an_update_ends_in_order_when_something_else_is_wanted(tmp_path: Path) -> None:
    stack = Stack("dev", tmp_path, environ(tmp_path), print)
    (tmp_path / "slow").touch()
    with pytest.raises(UpdateError):
        stack.up(order(urgent=(tmp_path / "running").exists))
    assert (tmp_path / "ended").exists(), "the update went on to its end, or was killed"


def test_an_update_names_its_configuration_and_all_that_it_may_change(tmp_path: Path) -> None:
    stack = Stack("dev", tmp_path, environ(tmp_path), print)
    with pytest.raises(UpdateError):
        stack.up(order(targets=["urn:one", "urn:two"]))
    asked = (tmp_path / "asked").read_text()
    assert "--config-file deployed.yaml" in asked and "--target urn:one --target urn:two" in asked


def test_the_lock_of_dead_processes_is_taken_away(tmp_path: Path) -> None:
    said: list[str] = []
    stack = Stack("dev", tmp_path, environ(tmp_path), said.append)
    lock(tmp_path, dead_process(), dead_process())
    with pytest.raises(UpdateError) as failed:
        stack.up(order())
    assert failed.value.kind != "locked", "after it, the update was tried"
    assert "its lock is taken away" in said[0] and not (tmp_path / "locked").exists()


@pytest.mark.parametrize(("backend", "living"), [("file:///nowhere", True), ("s3://everybodys", False)])
def test_the_lock_of_somebody_who_may_live_stays(tmp_path: Path, backend: str, living: bool) -> None:
    stack = Stack("dev", tmp_path, environ(tmp_path, backend), lambda _: None)
    lock(tmp_path, dead_process(), *([os.getpid()] if living else []))
    with pytest.raises(UpdateError, match=r"is being updated \(.*process \d+") as failed:
        stack.up(order())
    assert failed.value.kind == "locked" and (tmp_path / "locked").exists()


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("kubernetes:Service (x):\n  error: x is not ready\n    log of pod: secret", "x is not ready"),
        ("Stack (dev):\n  error: update failed\nService (x):\n  error: no such image", "no such image"),
        ("Stack (dev):\n  error: update failed", "update failed"),
        ("x:\n  error: 1 error occurred:\n    * timed out\n  error: x is not ready\n    no image", "x is not ready"),
        ("no such thing\nmore", "no such thing"),
        ("", "unknown"),
    ],
)
def test_the_reason_of_a_failed_update_is_its_first_error_alone(told: str, reason: str) -> None:
    assert UpdateError(told).reason == reason

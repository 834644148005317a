"""How `rollout` begins and ends: where locks and histories are, and the exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rollout import __main__ as program
from rollout.__main__ import folder
from rollout.stopped import Stopped
from tests.unit.recording import ROOT
from toolchain.state import Checkout

CHECKOUT = Checkout(Path("/checkout"))


@pytest.mark.parametrize(
    ("backend", "wanted"),
    [
        (CHECKOUT.backend, "/checkout/.local/rollouts"),
        ("s3://everybodys", "/checkout/.local/rollouts"),
        ("file:///shared/state", "/shared/rollouts"),
        ("file:///shared/state?no_tmp_dir=true", "/shared/rollouts"),
        ("file://./state", "/checkout/rollouts"),
        ("file://~", "/home/somebody/.pulumi/rollouts"),
        ("file://~/state", "/home/somebody/rollouts"),
    ],
)
def test_they_are_beside_the_state_if_it_is_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, backend: str, wanted: str
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert folder(backend, CHECKOUT) == Path(wanted)


def test_the_exit_code_stays_where_nobody_reads_the_output_any_more() -> None:
    code = "import sys; from rollout.__main__ import leave; sys.stdout.write('rolled back'); sys.exit(leave(3))"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (3, "")


@pytest.mark.parametrize(("number", "name", "code"), [(signal.SIGINT, "ctrl-C", 130), (signal.SIGTERM, "SIGTERM", 143)])
def test_a_signal_has_its_exit_code_and_the_commands_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, name: str, code: int
) -> None:
    def stopped(*_: object) -> int:
        ended = Stopped(number)
        ended.left = "step 1 of 2; last seen in the cluster: candidate 5 percent"
        raise ended

    monkeypatch.setattr(program, "VERBS", {"resume": stopped})
    monkeypatch.setattr(program, "listen", lambda _: None)
    assert program.main(["resume", "frontend"]) == code
    said = capsys.readouterr().err
    assert f"Stopped by {name}" in said and "candidate 5 percent" in said
    assert "rollout resume frontend" in said and "rollout abort frontend" in said

"""One tool at a time: its lock, and a lock of pulumi's whose holder is dead."""

from __future__ import annotations

import getpass
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rollout import RolloutError
from rollout.lock import Desk
from rollout.stack import dead
from tests.unit.recording import ROOT

HOLD = """
import sys, time
from pathlib import Path
from rollout.lock import Desk
with Desk(Path(sys.argv[1]), "dev").held() as mine:
    print(mine, flush=True)
    time.sleep(60)
"""


def test_a_second_tool_is_told_who_holds_the_lock_until_that_one_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdout.readline() == "True\n"
        desk = Desk(tmp_path, "dev")
        with desk.held() as mine:
            assert not mine and f"process {holder.pid}" in desk.holder()
        with Desk(tmp_path, "other").held() as mine:
            assert mine, "another stack is another matter"
        holder.kill()
        holder.wait()
        with desk.held() as mine:
            assert mine, "a killed tool holds nothing"
    assert stat.S_IMODE((tmp_path / "dev.lock").stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RolloutError, match=r"cannot be made.*PULUMI_BACKEND_URL"):
        Desk(tmp_path / "file" / "rollouts", "dev")


def test_a_lock_of_pulumis_is_taken_away_only_from_a_dead_process_of_this_user_and_machine() -> None:
    user, host = getpass.getuser(), socket.gethostname()
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert dead(user, host, process.pid)
    assert not dead(user, host, os.getpid())
    assert not dead(user, "elsewhere", process.pid) and not dead("somebody", host, process.pid)


def test_a_number_that_is_another_users_process_by_now_is_no_living_holder(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_process: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert dead(getpass.getuser(), socket.gethostname(), 4711)

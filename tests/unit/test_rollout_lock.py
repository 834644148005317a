"""One tool at a time: the lock, the wishes left for its holder, and a lock of pulumi's whose holder is dead."""

from __future__ import annotations

import getpass
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rollout import RolloutError
from rollout.lock import Desk, Wish
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


def test_a_wish_is_taken_once_by_the_holder(tmp_path: Path) -> None:
    desk, wish = Desk(tmp_path, "dev"), Wish("frontend", "promote", full=True)
    asking = threading.Thread(target=desk.ask, args=(wish,))
    asking.start()
    taken = None
    while taken is None:
        taken = desk.taken("frontend")
    asking.join(5)
    assert taken == wish and not asking.is_alive() and desk.taken("frontend") is None


def test_a_wish_that_nobody_takes_is_an_error_and_gone(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "dev")
    with desk.held():
        pass
    with pytest.raises(RolloutError, match=r"has not answered.*rollout \w+ \S+"):
        desk.ask(Wish("frontend", "pause"), seconds=0.2)
    assert desk.taken("frontend") is None


def test_a_lock_of_pulumis_is_taken_away_only_from_a_dead_process_of_this_user_and_machine() -> None:
    user, host = getpass.getuser(), socket.gethostname()
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert dead(user, host, process.pid)
    assert not dead(user, host, os.getpid())
    assert not dead(user, "elsewhere", process.pid) and not dead("somebody", host, process.pid)

"""Wishes for a rollout that another process drives: each is answered, and done by whom the lock belongs to."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from analysis.history import Judged
from rollout import RolloutError, commands, lock
from rollout.lock import Desk
from rollout.wishes import Wish, Wishes
from settings.rollouts import Rollout
from tests.unit.recording import ROOT
from tests.unit.rollout_commands import phase, place, there, under_way
from tests.unit.rollout_world import BEFORE, NOTIFICATIONS, World

__all__ = ["there"]
LEAVE = """
import sys, time
from pathlib import Path
from rollout.wishes import Wish, Wishes
with Wishes(Path(sys.argv[1])).left(Wish("frontend", "abort")):
    print("left", flush=True)
    time.sleep(60)
"""


def until(found: Callable[[], Any]) -> Any:
    """What is there in the end."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.01)
    raise AssertionError("nothing came")


class Asker(threading.Thread):
    """Somebody at a second terminal."""

    def __init__(self, there: World, wish: Wish) -> None:
        super().__init__()
        self._there, self._wish = there, wish
        self.done: Rollout | None = None
        self.error = ""
        self.start()

    def run(self) -> None:
        """Ask, and keep what is said."""
        try:
            self.done = commands.wish(place(self._there, service=self._wish.service), self._wish)
        except RolloutError as error:
            self.error = str(error)


def test_a_wish_is_taken_once_and_told_from_the_next_one(tmp_path: Path) -> None:
    wishes = Wishes(tmp_path / "dev.wishes")
    first, second = Wish("frontend", "promote", full=True), Wish("frontend", "abort")
    with wishes.left(first) as one, wishes.left(second) as other:
        taken = wishes.taken()
        assert taken == first and one.answered() is None, "granted before it is written"
        taken.answer("")
        assert one.answered() == "" and other.answered() is None
        following = wishes.taken()
        assert following == second, "one of two wishes is lost"
        following.answer("no")
        assert other.answered() == "no" and wishes.taken() is None
    assert not list((tmp_path / "dev.wishes").iterdir()), "nothing is left"


def test_a_wish_of_a_process_that_was_killed_is_nobodys(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LEAVE, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as asker:
        assert asker.stdout and asker.stdout.readline() == "left\n"
        assert Wishes(tmp_path).taken() == Wish("frontend", "abort")
        asker.kill()
        asker.wait()
    assert Wishes(tmp_path).taken() is None and not list(tmp_path.iterdir())


def test_who_asks_hears_that_it_is_done(there: World) -> None:
    under_way(there)
    desk = place(there).desk
    with desk.held():
        asker = Asker(there, Wish(NOTIFICATIONS, "abort"))
        until(desk.wishes.taken).answer("")
        asker.join(10)
    assert (asker.done, asker.error) == (None, "") and not there.updates, "it is the other process's to do"


def test_an_abort_of_one_service_does_not_wait_for_the_driver_of_another(there: World) -> None:
    under_way(there)
    with place(there, service="frontend").desk.held() as mine:
        assert mine
        asker = Asker(there, Wish(NOTIFICATIONS, "abort"))
        asker.join(30)
    assert asker.done and not asker.error and phase(there) == "aborted"


def test_who_asks_does_it_when_the_other_process_ends_without_an_answer(there: World) -> None:
    under_way(there)
    desk = place(there).desk
    with desk.held():
        asker = Asker(there, Wish(NOTIFICATIONS, "abort"))
        until(desk.wishes.taken)
    asker.join(10)
    assert asker.done and not asker.error
    assert phase(there) == "aborted" and there.entry() == BEFORE


def test_a_promotion_that_is_done_by_who_asked_is_done_once(there: World) -> None:
    under_way(there)
    desk = place(there).desk
    with desk.held():
        asker = Asker(there, Wish(NOTIFICATIONS, "promote"))
        until(lambda: list(desk.wishes._folder.glob("*.json")))
    asker.join(30)
    judged = [event.step for event in there.events if isinstance(event, Judged)]
    assert asker.done and judged == [1], "the wish was taken again by the process that grants it"


def test_a_wish_that_nobody_answers_is_an_error_and_gone(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "ANSWER_SECONDS", 0.3)
    desk = place(there).desk
    with desk.held():
        asker = Asker(there, Wish(NOTIFICATIONS, "pause"))
        asker.join(10)
        assert "has not answered" in asker.error and f"rollout pause {NOTIFICATIONS}" in asker.error
        assert desk.wishes.taken() is None


def test_an_answer_that_cannot_be_written_ends_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wishes = Wishes(tmp_path / "wishes")
    with wishes.left(Wish("frontend", "abort")) as letter:
        taken = wishes.taken()
        monkeypatch.setattr(Path, "write_text", mock.Mock(side_effect=OSError("No space left on device")))
        assert taken
        taken.answer("")
        assert letter.answered() is None, "who asks waits for the lock"


def test_desks_of_two_stacks_have_wishes_of_their_own(tmp_path: Path) -> None:
    with Desk(tmp_path, "dev").wishes.left(Wish("frontend", "abort")):
        assert Desk(tmp_path, "dev2").wishes.taken() is None

"""What people want of a rollout that another process drives: each wish a file beside the lock, and an answer to it.

Who asks holds its file open and locked, so a wish whose asker has ended is nobody's, and is not granted later.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollout.machine import Verb


@dataclass(frozen=True)
class Wish:
    """What a person wants of a rollout that another process drives."""

    service: str
    verb: Verb
    full: bool = False
    """Of `promote`: all steps, not just this one."""
    answer: Callable[[str], None] = field(default=lambda _: None, compare=False, repr=False)
    """Called once by who takes it: with nothing when it is granted and written, else with why it is not."""


@dataclass(frozen=True)
class Letter:
    """A wish that was left."""

    file: Path

    @property
    def reply(self) -> Path:
        """Where the answer is, once there is one."""
        return self.file.with_suffix(".answer")

    def answered(self) -> str | None:
        """The answer: empty when it is granted, else why it is not; None: there is none yet."""
        return self.reply.read_text() if self.reply.exists() else None

    def withdraw(self) -> None:
        """Want it no longer."""
        self.file.unlink(missing_ok=True)
        self.reply.unlink(missing_ok=True)

    def answer(self, text: str) -> None:
        """Tell who asks, if somebody still does. Where that cannot be written, the asker acts when the lock is free."""
        with contextlib.suppress(OSError):
            if self.file.exists():
                _write(self.reply, text)


class Wishes:
    """The wishes for one service's rollout."""

    def __init__(self, folder: Path) -> None:
        """folder: holds nothing else; is made, closed to others, when the first wish is left."""
        self._folder = folder

    @contextmanager
    def left(self, wish: Wish) -> Iterator[Letter]:
        """Leave a wish, for as long as the block lasts at most."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        letter = Letter(self._folder / f"{time.time_ns()}-{os.getpid()}.json")
        fresh = letter.file.with_suffix(".new")
        with fresh.open("x") as held:
            fcntl.flock(held, fcntl.LOCK_EX)  # before the name is there, and until this process ends
            json.dump({"service": wish.service, "verb": wish.verb, "full": wish.full}, held)
            held.flush()
            fresh.replace(letter.file)
            try:
                yield letter
            finally:
                letter.withdraw()

    def taken(self) -> Wish | None:
        """The oldest wish that has no answer yet, if any."""
        for file in sorted(self._folder.glob("*.json")):
            letter = Letter(file)
            said = _read(file)
            if said and not letter.reply.exists():
                return Wish(**said, answer=letter.answer)
        return None


def _read(file: Path) -> dict[str, Any] | None:
    """What a wish says; None, and it is gone, where its asker has ended."""
    try:
        with file.open() as left:
            try:
                fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                said: dict[str, Any] = json.load(left)
                return said
            Letter(file).withdraw()
    except FileNotFoundError:
        pass  # withdrawn meanwhile
    return None


def _write(file: Path, text: str) -> None:
    """In one go: who reads sees all of it or nothing."""
    fresh = file.with_suffix(".answering")
    fresh.write_text(text)
    fresh.replace(file)

"""One tool at a time drives a service's rollout: a lock file beside the state."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rollout import RolloutError
from rollout.wishes import Wish, Wishes

ANSWER_SECONDS = 3600.0
"""How long another process has to answer a wish: it ends its update first, and tries that of an end again."""
FORCE_SECONDS = 15.0
"""How long it has where it is ended otherwise."""
ASK_SECONDS = 0.2
"""Between two looks for an answer."""


class Desk:
    """The lock of one rollout, and the wishes for who holds it."""

    def __init__(self, folder: Path, name: str) -> None:
        """
        folder: is made when needed, closed to others.
        name: of the stack and the service.

        Raises RolloutError where the folder cannot be made.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise RolloutError(
                f"The folder of locks and histories {folder} cannot be made ({error.strerror}). It is beside the "
                "state: PULUMI_BACKEND_URL with a folder that you may write to"
            ) from None
        self._lock, self.wishes = folder / f"{name}.lock", Wishes(folder / f"{name}.wishes")

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Hold the lock, for as long as the process lives at most. False: another process does."""
        with open(os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            file.truncate()
            file.write(f"process {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}")
            file.flush()
            yield True

    @contextmanager
    def held_or_granted(self, wish: Wish, say: Callable[[str], None], force: bool = False) -> Iterator[bool]:
        """Have the process that holds the lock grant a wish (False), or hold the lock, now or when that one has ended
        (True). Raises RolloutError where it refuses, or does not answer.

        say: is told what is waited for.
        force: a process that does not answer within FORCE_SECONDS is ended.
        """
        with self.held() as mine:
            if mine:
                yield True
                return
        hint = "" if force else f". If it does not answer: rollout abort {wish.service} --force"
        say(f"The rollout is being driven ({self.holder()}): that process is asked{hint}")
        with self.wishes.left(wish) as letter:
            begun = time.monotonic()
            while time.monotonic() < begun + ANSWER_SECONDS:
                with self.held() as mine:
                    answer = letter.answered()
                    if answer:
                        raise RolloutError(answer)
                    if mine or answer is not None:
                        letter.withdraw()  # else it would be taken once more, by this process
                        yield answer is None
                        return
                if force and time.monotonic() > begun + FORCE_SECONDS:
                    force = False
                    self._end_holder(say)
                time.sleep(ASK_SECONDS)
        raise RolloutError(
            f"The tool that drives this rollout ({self.holder()}) has not answered for {ANSWER_SECONDS:g} s. "
            f"Nothing is asked of it any more. Try again: rollout {wish.verb} {wish.service}; or end it, and go back: "
            f"rollout abort {wish.service} --force"
        )

    def _end_holder(self, say: Callable[[str], None]) -> None:
        """Kill the process that holds the lock: it may be stopped (ctrl-Z), and then nothing else reaches it. Raises
        RolloutError where that is not a process of this machine, which has the lock's file open.
        """
        found = re.match(r"process (\d+)", self.holder())
        number = int(found[1]) if found else 0
        if not (number and self._opened_by(number)):
            raise RolloutError(
                f"The tool that drives this rollout ({self.holder()}) does not answer, and is no process that can be "
                "ended from here. End it where it runs, and then: rollout abort again"
            )
        say(f"It does not answer, and is ended: {self.holder()}")
        os.kill(number, signal.SIGKILL)

    def _opened_by(self, process: int) -> bool:
        """Whether a process has the lock's file open: its number alone could be another one's."""
        try:
            return any(file.resolve() == self._lock.resolve() for file in Path(f"/proc/{process}/fd").iterdir())
        except OSError:
            return False

    def holder(self) -> str:
        """Who holds the lock, or held it last."""
        return self._lock.read_text() or "another process"

"""One tool at a time drives the rollouts of a stack: a lock file beside the state."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rollout import RolloutError
from rollout.wishes import Wish, Wishes

ANSWER_SECONDS = 3600.0
"""How long another process has to answer a wish: it ends its update first, and tries that of an end again."""
ASK_SECONDS = 0.2
"""Between two looks for an answer."""


class Desk:
    """The lock of one stack, and the wishes for who holds it."""

    def __init__(self, folder: Path, stack: str) -> None:
        """folder: is made when needed, closed to others. Raises RolloutError where it cannot be."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise RolloutError(
                f"The folder of locks and histories {folder} cannot be made ({error.strerror}). It is beside the "
                "state: PULUMI_BACKEND_URL with a folder that you may write to"
            ) from None
        self._lock, self.wishes = folder / f"{stack}.lock", Wishes(folder / f"{stack}.wishes")

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
    def held_or_granted(self, wish: Wish, say: Callable[[str], None]) -> Iterator[bool]:
        """Have the process that holds the lock grant a wish (False), or hold the lock, now or when that one has ended
        (True). Raises RolloutError where it refuses, or does not answer.

        say: is told what is waited for.
        """
        with self.held() as mine:
            if mine:
                yield True
                return
        say(f"A rollout of the stack is being driven ({self.holder()}): it is asked, and ends its update first.")
        with self.wishes.left(wish) as letter:
            end = time.monotonic() + ANSWER_SECONDS
            while time.monotonic() < end:
                with self.held() as mine:
                    answer = letter.answered()
                    if answer:
                        raise RolloutError(answer)
                    if mine or answer is not None:
                        letter.withdraw()  # else it would be taken once more, by this process
                        yield answer is None
                        return
                time.sleep(ASK_SECONDS)
        raise RolloutError(
            f"The tool that drives this stack's rollout ({self.holder()}) has not answered for {ANSWER_SECONDS:g} s. "
            f"Nothing is asked of it any more. Try again; or end it with ctrl-C, and then: rollout {wish.verb} "
            f"{wish.service}"
        )

    def holder(self) -> str:
        """Who holds the lock, or held it last."""
        return self._lock.read_text() or "another process"

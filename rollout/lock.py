"""One tool at a time drives the rollouts of a stack: a lock file beside the state."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rollout import RolloutError
from rollout.wishes import Wishes


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

    def holder(self) -> str:
        """Who holds the lock, or held it last."""
        return self._lock.read_text() or "another process"

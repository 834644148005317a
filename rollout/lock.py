"""One tool at a time drives the rollouts of a stack; others leave their wishes for it. Files beside the state."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rollout import RolloutError
from rollout.machine import Verb


@dataclass(frozen=True)
class Wish:
    """What a person wants of a rollout that another process drives."""

    service: str
    verb: Verb
    full: bool = False
    """Of `promote`: all steps, not just this one."""


class Desk:
    """The lock and the wishes of one stack."""

    def __init__(self, folder: Path, stack: str) -> None:
        """folder: is made when needed, closed to others."""
        self._lock, self._wish = folder / f"{stack}.lock", folder / f"{stack}.wish"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

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
            self._wish.unlink(missing_ok=True)
            yield True

    def holder(self) -> str:
        """Who holds the lock, or held it last."""
        return self._lock.read_text() or "another process"

    def ask(self, wish: Wish, seconds: float = 120.0) -> None:
        """Leave a wish and wait until it is taken. Raises RolloutError when it is not, in this time."""
        fresh = self._wish.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(wish)))
        fresh.replace(self._wish)
        end = time.monotonic() + seconds
        while self._wish.exists():
            if time.monotonic() > end:
                self._wish.unlink(missing_ok=True)
                raise RolloutError(
                    f"The tool that drives this stack's rollout ({self.holder()}) has not answered for {seconds:g} s: "
                    "it waits for an update. Nothing was asked of it. Try again; or end it with ctrl-C, and then: "
                    f"rollout {wish.verb} {wish.service}"
                )
            time.sleep(0.1)

    def taken(self, service: str) -> Wish | None:
        """The wish that was left for a service's rollout, if any; it is gone then, as are those for other services."""
        if not self._wish.exists():
            return None
        wish = Wish(**json.loads(self._wish.read_text()))
        self._wish.unlink()
        return wish if wish.service == service else None

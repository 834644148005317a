"""One creation of a stack's cluster at a time, and what is known of one that did not come to its end.

A creation whose `up` was killed runs on to its end, or is killed itself and leaves a node that never becomes a cluster.
Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from components.commands.kind_nodes import say


class Creation:
    """The creation that is at work, written down for the case that it is killed."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def begins(self, marker: str) -> None:
        """Nodes of this marker are unfinished from now on."""
        self.ends()
        self._file.write(marker)
        self._file.flush()

    def ends(self) -> None:
        """Nothing is unfinished."""
        self._file.seek(0)
        self._file.truncate()

    def forget(self) -> None:
        """The owner makes no more: the file goes."""
        Path(self._file.name).unlink()


@contextlib.contextmanager
def alone(owner: str) -> Iterator[Creation]:
    """Wait until no other creation of the owner's is at work."""
    with open(_file(owner), "r+", opener=_closed_to_others) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for the end of a creation that an interrupted run began")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield Creation(file)


def unfinished(owner: str) -> str:
    """Marker of a creation of the owner's that is at work or was killed; empty where there is none."""
    file = _file(owner)
    return file.read_text() if file.is_file() else ""


def _closed_to_others(path: str, _: int) -> int:
    return os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)


def _file(owner: str) -> Path:
    """In the user's cache, the same for every run; folders for temporary files differ."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "knative-releases" / "creations"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    return cache / owner

"""One creation of a stack's cluster at a time, and what is known of one that did not come to its end.

A creation whose `up` was killed runs on to its end; or it is killed itself, and `kind` or `docker` run on; or all are
killed, and a node is left that never becomes a cluster. Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from components.kind.processes import EVERY, say


class Creation:
    """The creation that is at work, written down for the case that it is killed."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    @property
    def kubeconfig(self) -> Path:
        """Where kind may write the administrator's kubeconfig; gone when the creation, or the next one, ends."""
        return _kubeconfig(Path(self._file.name))

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
    """Wait until no other creation of the owner's is at work, nor a program that one has started.

    The lock goes along to the programs that are run within (`processes.run` and `watched`, and what those run): who
    kills this process alone, as pulumi-command does, leaves them at work, and the lock is held until they end.
    """
    path = _file(owner)
    with open(path, "r+", opener=_closed_to_others) as file:
        os.set_inheritable(file.fileno(), True)
        _lock(file)
        os.utime(path)  # since when it is held
        _remove_kubeconfig(path)
        try:
            yield Creation(file)
        finally:
            _remove_kubeconfig(path)


def unfinished(owner: str) -> str:
    """Marker of a creation of the owner's that is at work or was killed; empty where there is none."""
    file = _file(owner)
    return file.read_text() if file.is_file() else ""


def _lock(file: TextIO) -> None:
    begun = time.strftime("%H:%M:%S", time.localtime(os.fstat(file.fileno()).st_mtime))
    said = -EVERY
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() - said >= EVERY:
                said = time.monotonic()
                say(f"waiting for the end of a creation that an interrupted run began at {begun}: it is still at work")
            time.sleep(0.2)


def _closed_to_others(path: str, _: int) -> int:
    return os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)


def _file(owner: str) -> Path:
    """In the user's cache, the same for every run; folders for temporary files differ."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "knative-releases" / "creations"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    return cache / owner


def _kubeconfig(file: Path) -> Path:
    return file.with_name(f"{file.name}.kubeconfig")


def _remove_kubeconfig(file: Path) -> None:
    kubeconfig = _kubeconfig(file)
    for each in (kubeconfig, kubeconfig.with_name(f"{kubeconfig.name}.lock")):  # kind's own lock beside it
        each.unlink(missing_ok=True)

"""What was downloaded is kept in the user's cache and used from there; its content never changes unnoticed.

The content that was first kept under a name is the one that counts from then on (its sha256 is noted beside it), unless
the program itself knows the published one (`components.sources.published`).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class OtherContentError(Exception):
    """A download is not what it has to be; the message names the sha256 that was found and the one that is wanted.

    ways_out: what a person can do.
    """

    def __init__(self, message: str, *ways_out: str) -> None:
        super().__init__(message)
        self.ways_out = ways_out


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A file in the user's cache."""

    folder: str
    """Below the cache: `manifests` or `charts`."""
    url: str
    """Where it comes from: each place has a file of its own."""
    file: str
    """Name of the file, for people."""
    name: str
    """What the content is, wherever it comes from: one name, one content."""
    published: str | None = None
    """The sha256 that its publisher's file has; None: what is downloaded first counts."""

    def content(self, download: Callable[[], bytes], check: Callable[[bytes], object]) -> bytes:
        """What is kept, downloaded unless it is there.

        check: raises where a download is not what it should be; such a download is not kept.
        Raises OtherContentError, and whatever `download` and `check` raise.
        """
        kept, note = self._kept(), self._folder() / f"{self.name}.sha256"
        wanted = self.published or _text(note)
        try:
            found = kept.read_bytes()
        except OSError:
            found = None
        if found is None or (wanted and sha256(found) != wanted):
            found = download()
            check(found)
            self._compare(found, wanted, note)
            _write(found, kept)
        if not wanted:
            _write(f"{sha256(found)}\n".encode(), note)
        return found

    def _compare(self, found: bytes, wanted: str | None, note: Path) -> None:
        if not wanted or sha256(found) == wanted:
            return
        if self.published:
            raise OtherContentError(
                f"it is not the file that was published: its sha256 is {sha256(found)}, wanted is {wanted}. Nothing of "
                "it was kept"
            )
        raise OtherContentError(
            f"it is not the file that was used before: its sha256 is {sha256(found)}, wanted is {wanted}. Nothing of "
            "it was kept",
            f"If the new {self.name} is right, forget the old one: rm {note}",
        )

    def _kept(self) -> Path:
        return self._folder() / f"{hashlib.sha256(self.url.encode()).hexdigest()[:16]}-{self.file}"

    def _folder(self) -> Path:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return cache / "knative-releases" / self.folder


def sha256(content: bytes) -> str:
    """In hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def _text(file: Path) -> str | None:
    try:
        return file.read_text().strip() or None
    except OSError:
        return None


def _write(content: bytes, file: Path) -> None:
    """Write a file whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as unfinished:
        unfinished.write(content)
    Path(unfinished.name).replace(file)

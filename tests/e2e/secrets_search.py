"""A search for secrets where they must not be: files, what commands print, and the arguments of all processes."""

from __future__ import annotations

import base64
import stat
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_SECONDS = 0.02
LINE = 48
"""Characters of a longer secret that are looked for: no line of a wrapped text is shorter."""


@dataclass(frozen=True)
class Secrets:
    """Values that must be nowhere in plain text, by name."""

    values: Mapping[str, str]

    def found_in(self, text: bytes) -> list[str]:
        """Names of the secrets that a text holds, as they are or in base64."""
        return [name for name, value in self.values.items() if any(form in text for form in _forms(value))]

    def hidden(self, text: str) -> str:
        """A text with the secrets' names in their place."""
        for name, value in self.values.items():
            for form in _forms(value):
                text = text.replace(form.decode(), f"[{name}]")
        return text

    def in_files(self, *folders: Path) -> list[str]:
        """The files below folders that hold a secret, and which."""
        return [
            f"{file}: {', '.join(found)}"
            for folder in folders
            for file in sorted(folder.rglob("*"))
            if file.is_file() and not file.is_symlink() and (found := self.found_in(file.read_bytes()))
        ]


def _forms(value: str) -> Iterator[bytes]:
    """A secret, and what it is in base64 wherever in a longer text it begins."""
    plain = value.encode()[:LINE]
    yield plain
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain)
        yield coded[4 if shift else 0 : -4]


@dataclass
class Watch:
    """Watches the arguments of all processes, and who may read the files in a folder for temporary ones."""

    folder: Path
    arguments: set[bytes] = field(default_factory=set)
    """Those of every process that was seen."""
    open_files: dict[Path, bytes] = field(default_factory=dict)
    """Content of temporary files that others than their owner may read."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                self.arguments.add(_read(process))
            for file in self.folder.rglob("*"):
                if _readable_by_others(file, self.folder):
                    self.open_files[file] = _read(file)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # the process, or the file, ended meanwhile


def _readable_by_others(file: Path, folder: Path) -> bool:
    """Whether others may come to a file and read it."""
    try:
        way = [*(each for each in file.parents if each.is_relative_to(folder) and each != folder)]
        return (
            file.is_file()
            and bool(file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
            and all(each.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH) for each in way)
        )
    except OSError:
        return False  # it ended meanwhile

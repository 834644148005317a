"""Results kept by version: a folder is built once, under a name that says what it was built from.

A result is a folder below the cache root. It is built in a temporary folder beside its final place and
renamed when it is complete, so an interrupted build leaves nothing that looks finished. Two processes that
build the same result wait for one another.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path


def root() -> Path:
    """The cache folder: KNATIVE_RELEASES_CACHE, else knative-releases in the user's cache directory."""
    given = os.environ.get("KNATIVE_RELEASES_CACHE")
    if given:
        return Path(given).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "knative-releases"


def files_digest(*paths: Path) -> str:
    """A digest of the names and contents of files, folders taken whole: part of a key for what is built from them."""
    digest = hashlib.sha256()
    for path in paths:
        found = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in found:
            name = file.relative_to(path) if path.is_dir() else Path(file.name)
            digest.update(f"{name}\0{file.stat().st_mode & 0o111}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def place(name: str, key: Mapping[str, str]) -> Path:
    """Where the folder of a result is, or will be."""
    return root() / f"{name}-{hashlib.sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()[:12]}"


def built(name: str, key: Mapping[str, str], build: Callable[[Path], None]) -> Path:
    """The folder of a result, built by `build(folder)` when no result of this name and key is there yet.

    `key` names everything that the result depends on (versions, digests of sources and of other results).
    Errors of `build` pass through; the unfinished folder is removed.
    """
    folder = place(name, key)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    with open(folder.with_name(f".{folder.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            return folder
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            build(unfinished)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        unfinished.rename(folder)
    return folder

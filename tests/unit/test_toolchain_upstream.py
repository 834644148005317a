"""Downloading a published tool from a server on the loopback: what is good is kept once, what is not leaves nothing."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from tests.unit import releases_server
from tests.unit.releases_server import Releases
from toolchain import ToolchainError, pins, upstream
from toolchain.pins import Download

CONTENT = b"#!/bin/sh\necho kind\n" * 1000


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KNATIVE_RELEASES_CACHE", str(tmp_path / "cache"))
    for proxy in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def releases() -> Iterator[Releases]:
    with releases_server.serving() as releases:
        yield releases


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO())


def kept(cache: Path) -> list[str]:
    """What the cache holds besides its locks."""
    return [p.name for p in cache.iterdir() if not p.name.endswith(".lock")] if cache.exists() else []


def test_a_binary_is_checked_and_made_executable(releases: Releases, console: Console) -> None:
    releases.publish("kind-linux-amd64", CONTENT)
    folder = upstream.fetch(releases.download("kind", "kind-linux-amd64"), console)
    assert [p.name for p in folder.iterdir()] == ["kind"], "only the command is left in the folder"
    assert (folder / "kind").read_bytes() == CONTENT
    assert (folder / "kind").stat().st_mode & 0o111


def test_an_archive_gives_its_binaries_by_their_bare_names(releases: Releases, console: Console) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in ("pulumi/pulumi", "../../pulumi-language-python"):
            member = tarfile.TarInfo(name)
            member.size = len(CONTENT)
            archive.addfile(member, io.BytesIO(CONTENT))
    releases.publish("pulumi.tar.gz", packed.getvalue())
    folder = upstream.fetch(releases.download("pulumi", "pulumi.tar.gz"), console)
    assert sorted(p.name for p in folder.iterdir()) == ["pulumi", "pulumi-language-python"]
    assert all(p.stat().st_mode & 0o111 for p in folder.iterdir())


def test_what_is_in_the_cache_is_not_asked_for_again(releases: Releases, console: Console) -> None:
    releases.publish("kind", CONTENT)
    first = upstream.fetch(releases.download("kind", "kind"), console)
    releases.asked.clear()
    assert upstream.fetch(releases.download("kind", "kind"), console) == first
    assert releases.asked == []


def test_a_file_with_another_checksum_is_refused(releases: Releases, cache: Path, console: Console) -> None:
    releases.publish("kind", CONTENT)
    releases.files["kind"] = CONTENT.replace(b"kind", b"KIND")
    with pytest.raises(ToolchainError, match=r"is not the file that was published: its sha256 is [0-9a-f]{64}"):
        upstream.fetch(releases.download("kind", "kind"), console)
    assert kept(cache) == []


def test_a_file_that_ends_early_is_refused(releases: Releases, cache: Path, console: Console) -> None:
    releases.publish("kind", CONTENT)
    releases.claimed["kind"] = len(CONTENT) + 1
    with pytest.raises(ToolchainError, match=f"ended after {len(CONTENT)} of {len(CONTENT) + 1} bytes"):
        upstream.fetch(releases.download("kind", "kind"), console)
    assert kept(cache) == []


def test_after_a_broken_download_the_next_one_succeeds(releases: Releases, console: Console) -> None:
    releases.publish("kind", CONTENT)
    releases.claimed["kind"] = len(CONTENT) + 1
    with pytest.raises(ToolchainError):
        upstream.fetch(releases.download("kind", "kind"), console)
    releases.claimed.clear()
    assert (upstream.fetch(releases.download("kind", "kind"), console) / "kind").read_bytes() == CONTENT


def test_a_checksum_file_without_the_file_stops_before_the_download(
    releases: Releases, cache: Path, console: Console
) -> None:
    releases.publish("kind", CONTENT)
    releases.files["kind.sha256sum"] = b"0" * 64 + b"  kind-of-another-platform\n"
    with pytest.raises(ToolchainError, match="has no sha256 for kind"):
        upstream.fetch(releases.download("kind", "kind"), console)
    assert releases.asked == ["kind.sha256sum"]
    assert kept(cache) == []


@pytest.mark.parametrize("missing", ["kind", "kind.sha256sum"])
def test_a_missing_file_is_told_with_its_url_and_the_other_way(
    missing: str, releases: Releases, cache: Path, console: Console
) -> None:
    releases.publish("kind", CONTENT)
    del releases.files[missing]
    with pytest.raises(ToolchainError, match=rf"{releases.url}/{missing} answered 404 .*make up SOURCES=offline"):
        upstream.fetch(releases.download("kind", "kind"), console)
    assert kept(cache) == []


def test_a_server_that_is_not_there_is_told_without_a_traceback(console: Console) -> None:
    download = Download("kind", "1.2.3", "http://127.0.0.1:1/kind", "http://127.0.0.1:1/kind.sha256sum")
    with pytest.raises(ToolchainError, match=r"cannot be reached: .*refused"):
        upstream.fetch(download, console)


def test_garbage_on_the_port_is_told_without_a_traceback(console: Console) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=greet, args=(server,))
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/kind"
        with pytest.raises(ToolchainError, match=r"cannot be reached: an answer that is not HTTP"):
            upstream.fetch(Download("kind", "1.2.3", url, f"{url}.sha256sum"), console)
        thread.join()


def greet(server: socket.socket) -> None:
    """Answer as a mail server does."""
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"220 mail.test ESMTP\r\n")
        connection.recv(1 << 16)


def test_a_length_that_is_no_number_is_no_length(releases: Releases, console: Console) -> None:
    releases.publish("kind", CONTENT)
    releases.claimed["kind"] = "many"
    assert (upstream.fetch(releases.download("kind", "kind"), console) / "kind").read_bytes() == CONTENT


@pytest.mark.parametrize("line", ["{sum}  kind", "{sum} *kind", "{upper}  kind"])
def test_checksum_lines_are_read_as_sha256sum_writes_them(line: str) -> None:
    expected = hashlib.sha256(CONTENT).hexdigest()
    text = f"{'1' * 64}  other\n{line.format(sum=expected, upper=expected.upper())}\n"
    assert (
        upstream.published_checksum(text, Download("kind", "1", "https://host/kind", "https://host/sums")) == expected
    )


@pytest.mark.parametrize("text", ["", "kind", "<html>kind</html>", "abc  kind", f"{'z' * 64}  kind"])
def test_what_is_no_checksum_is_none(text: str) -> None:
    with pytest.raises(ToolchainError, match="has no sha256"):
        upstream.published_checksum(text, Download("kind", "1", "https://host/kind", "https://host/sums"))


@pytest.mark.parametrize(
    ("system", "machine", "files"),
    [
        ("Linux", "x86_64", ["pulumi-v3.226.0-linux-x64.tar.gz", "kind-linux-amd64"]),
        ("Linux", "aarch64", ["pulumi-v3.226.0-linux-arm64.tar.gz", "kind-linux-arm64"]),
        ("Darwin", "arm64", ["pulumi-v3.226.0-darwin-arm64.tar.gz", "kind-darwin-arm64"]),
        ("Darwin", "x86_64", ["pulumi-v3.226.0-darwin-x64.tar.gz", "kind-darwin-amd64"]),
    ],
)
def test_each_platform_has_its_files(system: str, machine: str, files: list[str]) -> None:
    found = pins.downloads(system, machine)
    assert [d.file for d in found] == files
    assert all(d.url.startswith("https://") and d.checksums_url.startswith("https://") for d in found)


def test_a_platform_without_releases_is_refused() -> None:
    with pytest.raises(ToolchainError, match="No releases of the tools for Windows on AMD64"):
        pins.downloads("Windows", "AMD64")

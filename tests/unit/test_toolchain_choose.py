"""Choosing a toolchain: a wish is taken, otherwise what can be reached decides; and the pins agree everywhere."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
import tomllib
import urllib.error
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from offline import versions
from toolchain import ToolchainError, pins
from toolchain.choose import Choice, Sources, choose, wanted
from toolchain.reachable import in_words, unreachable, upstream_places


def never_asked() -> list[str]:
    raise AssertionError("nothing is to be reached for when it is decided")


@pytest.mark.parametrize("asked", ["upstream", "offline"])
def test_a_wish_decides_without_asking(asked: Sources) -> None:
    kept = Choice("upstream" if asked == "offline" else "offline", "it was chosen before")
    for before in (None, kept):
        choice = choose(asked, before, never_asked)
        assert (choice.sources, choice.reason) == (asked, f"SOURCES={asked}")


@pytest.mark.parametrize("sources", ["upstream", "offline"])
def test_what_was_chosen_before_stays_and_nothing_is_asked(sources: Sources) -> None:
    kept = Choice(sources, "it was chosen before")
    assert choose(None, kept, never_asked) == kept


def test_on_a_new_machine_upstream_is_taken_where_it_answers() -> None:
    assert str(choose(None, None, list)) == "downloaded from upstream, because its releases and image registries answer"


def test_on_a_new_machine_anything_unreachable_leads_offline_in_one_line_that_says_what_it_costs() -> None:
    choice = choose(None, None, lambda: ["gcr.io (HTTP 503)"])
    assert choice.sources == "offline"
    assert "\n" not in str(choice)
    for told in ("gcr.io (HTTP 503)", "built from package registries", "25 minutes", "make up SOURCES=upstream"):
        assert told in str(choice), f"nobody is told {told}"


def test_nothing_or_an_empty_text_is_no_wish() -> None:
    assert wanted({}) is None and wanted({"SOURCES": ""}) is None


def test_another_wish_is_refused_with_the_command() -> None:
    with pytest.raises(
        ToolchainError, match=r"SOURCES=offlin given; wanted upstream, offline.*make up SOURCES=upstream"
    ):
        wanted({"SOURCES": "offlin"})


class Answers(BaseHTTPRequestHandler):
    """Answers with the status that the path names."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_a_registry_that_wants_a_login_answers_and_a_broken_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        host = f"127.0.0.1:{server.server_address[1]}"
        found = {status: unreachable([f"http://{host}/{status}"], tries=1) for status in (200, 401, 403, 503)}
        server.shutdown()
        thread.join()
    assert found == {200: [], 401: [], 403: [f"{host} (HTTP 403)"], 503: [f"{host} (HTTP 503)"]}


def test_silence_ends_after_the_given_time_however_many_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        begin = time.monotonic()
        found = unreachable([f"http://{host}/{number}" for number in range(20)], seconds=0.5)
        seconds = time.monotonic() - begin
    assert len(found) == 1, "one line for a host"
    assert found[0].startswith(host)
    assert seconds < 5, f"20 questions of 2 times 0.5 s waited for one another: {seconds:.1f} s"


class Garbage:
    """A port that answers each connection with these bytes, in turn; the last ones again and again."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.server = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(self._answers[0] if len(self._answers) == 1 else self._answers.pop(0))

    def close(self) -> None:
        """Close the port; the thread ends."""
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self._thread.join()


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\x03\x01\x00\x02\x02\x46", b""])
def test_what_is_no_http_is_told_in_words(
    answer: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    garbage = Garbage(answer)
    try:
        found = unreachable([f"http://{garbage.host}/"], seconds=5, tries=1)
    finally:
        garbage.close()
    assert len(found) == 1 and found[0].startswith(garbage.host) and "no answer within" not in found[0], found
    assert "Traceback" not in capsys.readouterr().err


def test_a_host_that_fails_once_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("toolchain.reachable.PAUSE_SECONDS", 0.01)
    garbage = Garbage(b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    try:
        assert unreachable([f"http://{garbage.host}/"], seconds=5) == [], "one hiccup decides for half an hour of work"
    finally:
        garbage.close()


def test_a_proxy_variable_that_is_no_url_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://proxy:80x80")
    assert len(unreachable(["http://host.test/"], seconds=5, tries=1)) == 1


@pytest.mark.parametrize(("system", "told"), [("linux", "SSL_CERT_FILE"), ("darwin", "Install Certificates.command")])
def test_a_certificate_that_is_not_trusted_is_told_with_what_helps(
    system: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", system)
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    error.verify_message = "self-signed certificate in certificate chain"
    text = in_words(urllib.error.URLError(error))
    assert told in text and "self-signed certificate" in text


DOWNLOADS = pins.downloads("Linux", "x86_64")


def hosts(sources: Mapping[str, object]) -> set[str]:
    return {place.split("/")[2] for place in upstream_places(DOWNLOADS, sources)}


def test_upstreams_hosts_are_asked_by_default() -> None:
    assert hosts({}) == {"github.com", "registry-1.docker.io", "gcr.io"}


def test_a_mirror_is_asked_in_the_place_of_what_it_mirrors() -> None:
    images = {"docker.io/": "mirror.test/hub/", "gcr.io/": "other.test:5000/gcr/"}
    sources = {"images": images, "charts": "oci://charts.test/bitnami", "manifests": "https://files.test/knative"}
    assert hosts(sources) == {"github.com", "mirror.test", "other.test:5000", "charts.test", "files.test"}


def test_what_is_on_this_machine_is_not_asked_for() -> None:
    images = {"docker.io/": "dev.local/", "gcr.io/": "dev.local/"}
    assert hosts({"images": images, "charts": "/charts", "manifests": "/manifests"}) == {"github.com"}


def test_upstream_offline_and_python_packages_have_the_same_versions() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    packages = dict(text.split("==") for text in project["project"]["dependencies"] if "==" in text)
    assert packages == {
        "pulumi": pins.PULUMI_SDK,
        "pulumi-kubernetes": pins.PLUGINS["kubernetes"],
        "pulumi-command": pins.PLUGINS["command"],
    }
    assert (versions.PULUMI, versions.KIND) == (pins.PULUMI, pins.KIND)
    assert pins.PLUGINS == {"kubernetes": versions.KUBERNETES_PROVIDER, "command": versions.COMMAND_PROVIDER}


def test_the_locks_hold_a_hash_for_every_package_and_name_no_index() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (Path(__file__).parents[2] / name).read_text()
        entries = [block for block in text.split("\n") if "==" in block]
        assert all(entry.endswith("\\") for entry in entries), f"{name}: a package without hashes"
        assert "://" not in text
        assert "--index-url" not in text

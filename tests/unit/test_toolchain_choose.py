"""Choosing a toolchain: a wish is taken, otherwise what can be reached decides; and the pins agree everywhere."""

from __future__ import annotations

import socket
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from offline import versions
from toolchain import ToolchainError, pins
from toolchain.choose import choose
from toolchain.reachable import unreachable, upstream_places


def never_asked() -> list[str]:
    raise AssertionError("nothing is to be reached for when the user has said what is wanted")


@pytest.mark.parametrize("wanted", ["upstream", "offline"])
def test_a_wish_decides_without_asking(wanted: str) -> None:
    choice = choose(wanted, never_asked)
    assert (choice.sources, choice.reason) == (wanted, f"SOURCES={wanted}")


@pytest.mark.parametrize("wanted", [None, ""])
def test_without_a_wish_upstream_is_taken_where_it_answers(wanted: str | None) -> None:
    assert str(choose(wanted, list)) == "downloads from upstream, because its releases and image registries answer"


def test_without_a_wish_anything_unreachable_leads_offline_and_is_named() -> None:
    choice = choose(None, lambda: ["gcr.io (HTTP 503)"])
    assert choice.sources == "offline"
    assert "gcr.io (HTTP 503)" in str(choice)


def test_another_wish_is_refused_with_the_command() -> None:
    with pytest.raises(
        ToolchainError, match=r"SOURCES=offlin given; wanted upstream, offline.*make up SOURCES=upstream"
    ):
        choose("offlin", never_asked)


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
        found = {status: unreachable([f"http://{host}/{status}"]) for status in (200, 401, 403, 503)}
        server.shutdown()
        thread.join()
    assert found == {200: [], 401: [], 403: [f"{host} (HTTP 403)"], 503: [f"{host} (HTTP 503)"]}


def test_silence_ends_after_the_given_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        found = unreachable([f"http://{host}/a", f"http://{host}/b"], seconds=0.2)
    assert len(found) == 1, "one line for a host"
    assert found[0].startswith(host)


def test_everything_that_a_download_needs_is_probed() -> None:
    places = upstream_places(pins.downloads("Linux", "x86_64"))
    assert {place.split("/")[2] for place in places} == {"github.com", "registry-1.docker.io", "gcr.io"}


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

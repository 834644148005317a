"""Where manifests and charts come from: a folder, a URL (served on loopback), or a refusal that says the way out."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

from components.sources import Chart, ManifestSource, SourceError, chart
from tests.unit import small_release


class Server(http.server.ThreadingHTTPServer):
    """Serves texts by path, and counts what was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.texts: dict[str, bytes] = {}
        self.claimed_extra = 0
        """Bytes that are announced and never sent."""
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        """Base of its URLs."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the server's texts."""

    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        text = self.server.texts.get(self.path)
        self.send_response(404 if text is None else 200)
        self.send_header("Content-Length", str(len(text or b"") + self.server.claimed_extra))
        self.end_headers()
        self.wfile.write(text or b"")

    def log_message(self, *arguments: object) -> None:
        """Keep the tests' output to themselves."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on the loopback interface."""
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A download cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


PLACE = "/serving/releases/download/knative-v1.10.2/serving-crds.yaml"


def load(base: str) -> list[dict[str, object]]:
    """The small release's definitions from a base."""
    return ManifestSource(base).load("serving", "1.10.2", "serving-crds.yaml")


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_folder_is_read_in_the_upstream_layout(small: Path, slash: str) -> None:
    assert load(f"{small}{slash}") == small_release.definitions(), "other objects than the file's"


def test_a_url_is_asked_once_and_kept(small: Path, server: Server) -> None:
    server.texts[PLACE] = (small / PLACE[1:]).read_bytes()
    assert load(server.url) == load(server.url) == small_release.definitions(), "other objects than the server's"
    assert server.asked == [PLACE], "every preview downloads again, or something else is asked for"


def test_a_missing_file_names_the_file_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as raised:
        load(str(tmp_path))
    assert f"{tmp_path}{PLACE}" in str(raised.value), "the person does not know which file is missing"
    assert "knative-releases:sources.manifests" in str(raised.value), "the person does not know what to set"


def test_a_missing_page_names_the_url_and_is_not_kept(small: Path, server: Server) -> None:
    with pytest.raises(SourceError, match=f"cannot download {server.url}{PLACE}: Not Found"):
        load(server.url)
    server.texts[PLACE] = (small / PLACE[1:]).read_bytes()
    assert load(server.url) == small_release.definitions(), "a failure was kept"


def test_nobody_listening_is_told_as_such(server: Server) -> None:
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(SourceError, match=r"cannot download .* refused"):
        load(url)


def test_a_truncated_download_is_refused_and_not_kept(small: Path, server: Server, cache_folder: Path) -> None:
    server.texts[PLACE] = (small / PLACE[1:]).read_bytes()
    server.claimed_extra = 100
    with pytest.raises(SourceError, match=f"{server.url}{PLACE}"):
        load(server.url)
    assert not [file for file in cache_folder.rglob("*") if file.is_file()], "half a manifest was kept"
    server.claimed_extra = 0
    assert load(server.url) == small_release.definitions(), "half a manifest was kept"


@pytest.mark.parametrize("text", ["", "---\n", "just words\n", "- a\n", "kind: ConfigMap\n", "<html></html>\n"])
def test_what_holds_no_kubernetes_objects_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / PLACE[1:]
    file.parent.mkdir(parents=True)
    file.write_text(text)
    with pytest.raises(SourceError, match="holds no Kubernetes objects"):
        load(str(tmp_path))


def test_what_is_no_yaml_is_refused(tmp_path: Path) -> None:
    file = tmp_path / PLACE[1:]
    file.parent.mkdir(parents=True)
    file.write_text("kind: {unclosed\n")
    with pytest.raises(SourceError, match="is no YAML"):
        load(str(tmp_path))


def test_a_page_that_is_no_manifest_is_not_kept(small: Path, server: Server) -> None:
    server.texts[PLACE] = b"<html>log in first</html>"
    with pytest.raises(SourceError):
        load(server.url)
    server.texts[PLACE] = (small / PLACE[1:]).read_bytes()
    assert load(server.url) == small_release.definitions(), "a proxy's login page stays in the cache for good"


def test_a_refusal_ends_without_a_traceback() -> None:
    assert issubclass(SourceError, pulumi.RunError), "Pulumi prints a traceback for any other error"


@pytest.mark.parametrize("base", ["oci://registry.example/charts", "oci://registry.example/charts/"])
def test_a_chart_in_a_registry_is_named_by_its_whole_url(base: str) -> None:
    assert chart(base, "kafka", "1.2.3") == Chart("oci://registry.example/charts/kafka", "1.2.3")


def test_a_chart_in_a_repository_is_named_within_it() -> None:
    assert chart("https://charts.example", "kafka", "1.2.3") == Chart("kafka", "1.2.3", "https://charts.example")


def test_a_chart_in_a_folder_has_the_folders_version(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "Chart.yaml").touch()
    assert chart(str(tmp_path), "kafka", "1.2.3") == Chart(str(tmp_path / "kafka"), None), (
        "Helm looks for a version elsewhere"
    )


def test_a_missing_chart_names_the_file_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as raised:
        chart(str(tmp_path), "kafka", "1.2.3")
    assert f"{tmp_path}/kafka/Chart.yaml" in str(raised.value), "the person does not know which file is missing"
    assert "knative-releases:sources.charts" in str(raised.value), "the person does not know what to set"

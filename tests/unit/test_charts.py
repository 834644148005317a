"""Charts: fetched once from a registry or a repository (on loopback), or copied from a folder, into the same path."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from email.message import Message
from pathlib import Path

import pytest

from components.sources import published
from components.sources.charts import ChartSource
from components.sources.download import StatusError
from components.sources.release_manifests import SourceError
from tests.upstream import SILENT, Upstream, packed, upstream

VERSION = "22.1.99"
"""A version whose published sha256 the program does not know."""
Base = Callable[[Upstream, bytes], str]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, cache and home of the test's own."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("DOCKER_CONFIG", "HELM_REGISTRY_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("components.sources.download.PAUSES", (0, 0))
    return tmp_path / "project"


@pytest.fixture
def outside() -> Iterator[Upstream]:
    """A server on the loopback interface."""
    with upstream() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the chart kafka."""
    chart = tmp_path / "charts" / "kafka"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: kafka\nversion: 22.1.5\n")
    (chart / "templates" / "service.yaml").write_text("kind: Service\n")
    return chart.parent


@pytest.fixture
def archive(folder: Path) -> bytes:
    """The chart as an archive, of an unknown version."""
    return packed(folder / "kafka", "kafka", VERSION)


def registry(outside: Upstream, archive: bytes, version: str = VERSION) -> str:
    """The base of a registry that has the chart."""
    outside.push("hub/charts/kafka", version, archive)
    return f"oci://{outside.host}/hub/charts"


def repository(outside: Upstream, archive: bytes, version: str = VERSION) -> str:
    """The base of a repository that has the chart."""
    outside.publish("/charts", "kafka", version, archive)
    return f"{outside.url}/charts"


def pointing(outside: Upstream, archive: bytes) -> str:
    """The base of a repository whose index points into a registry."""
    urls = f"['{registry(outside, archive)}/kafka:{VERSION}']"
    outside.files["/old/index.yaml"] = f"entries: {{kafka: [{{version: {VERSION}, urls: {urls}}}]}}\n".encode()
    return f"{outside.url}/old"


BASES = pytest.mark.parametrize("base", [registry, repository, pointing])


@BASES
def test_a_chart_is_fetched_once_and_is_at_a_path_of_the_project(outside: Upstream, archive: bytes, base: Base) -> None:
    source = base(outside, archive)
    path = ChartSource(source).path("kafka", VERSION)
    assert path == f".local/charts/kafka-{VERSION}-{hashlib.sha256(archive).hexdigest()[:12]}.tgz"
    assert Path(path).read_bytes() == archive
    asked = list(outside.asked)
    outside.refuse()
    Path(path).unlink()
    assert ChartSource(source).path("kafka", VERSION) == path and Path(path).read_bytes() == archive
    assert outside.asked == asked, "an update asks outside again, and an abort ends with the registry's day"


def test_a_chart_has_one_path_wherever_it_comes_from(outside: Upstream, archive: bytes) -> None:
    paths = {ChartSource(base(outside, archive)).path("kafka", VERSION) for base in (registry, repository, pointing)}
    assert len(paths) == 1, "another mirror is an update of every store"


def test_a_registry_is_asked_for_one_manifest(outside: Upstream, archive: bytes) -> None:
    ChartSource(f"{registry(outside, archive)}/").path("kafka", VERSION)
    manifest = f"/v2/hub/charts/kafka/manifests/{VERSION}"
    assert [path for path in outside.asked if "token" not in path][:2] == [manifest] * 2, "refused, then with the token"
    assert outside.asked.count(manifest) == 2, "each further one counts against the limit of downloads"


def test_the_index_of_a_repository_is_fetched_once_for_all_charts(
    outside: Upstream, archive: bytes, folder: Path
) -> None:
    source = ChartSource(repository(outside, archive))
    outside.publish("/charts", "redis", VERSION, packed(folder / "kafka", "redis", VERSION))
    source.path("kafka", VERSION)
    with pytest.raises(SourceError, match=f"another chart: kafka {VERSION}"):
        source.path("redis", VERSION)
    assert outside.asked.count("/charts/index.yaml") == 1


def test_a_silent_repository_is_waited_for_once(
    outside: Upstream, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.sources.download.SILENCE_SECONDS", 0.2)
    source, outside.fault = ChartSource(repository(outside, archive)), SILENT
    for name in ("kafka", "postgresql", "redis"):
        with pytest.raises(SourceError, match=f"cannot download .*/{name}:{VERSION}: .* silence"):
            source.path(name, VERSION)
    assert outside.asked == ["/charts/index.yaml"] * 3, "a person waits a minute for each chart"


def test_a_folder_becomes_a_copy_whose_path_names_nothing_of_the_machine(folder: Path, project: Path) -> None:
    path = ChartSource(str(folder)).path("kafka", "1.2.3")
    assert re.fullmatch(r"\.local/charts/kafka-22\.1\.5-[0-9a-f]{12}", path), "the state names a folder of this machine"
    copied = {str(f.relative_to(project / path)): f.read_text() for f in (project / path).rglob("*") if f.is_file()}
    assert copied == {
        "Chart.yaml": (folder / "kafka/Chart.yaml").read_text(),
        "templates/service.yaml": "kind: Service\n",
    }


def test_a_change_in_a_folder_is_another_path_and_its_undoing_the_first_one(folder: Path) -> None:
    first, changed = ChartSource(str(folder)).path("kafka", ""), folder / "kafka/templates/service.yaml"
    changed.write_text("kind: Deployment\n")
    second = ChartSource(str(folder)).path("kafka", "")
    assert second != first, "the engine would not notice it"
    changed.write_text("kind: Service\n")
    assert ChartSource(str(folder)).path("kafka", "") == first


@pytest.mark.parametrize("damage", ["changed", "added", "gone"])
def test_a_copy_that_was_damaged_is_made_again(folder: Path, damage: str) -> None:
    path = Path(ChartSource(str(folder)).path("kafka", ""))
    file = path / ("templates/more.yaml" if damage == "added" else "templates/service.yaml")
    if damage == "gone":
        file.unlink()
    else:
        file.write_text("kind: Damaged\n")
    assert ChartSource(str(folder)).path("kafka", "") == str(path)
    assert [f.read_text() for f in (path / "templates").iterdir()] == ["kind: Service\n"], (
        "a damaged chart is installed"
    )


def test_a_missing_folder_names_the_file_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as raised:
        ChartSource(str(tmp_path)).path("kafka", VERSION)
    for part in (f"{tmp_path}/kafka/Chart.yaml", "knative-releases:sources.charts"):
        assert part in str(raised.value), "the person does not know which file is missing, or what to set"


@pytest.mark.parametrize("base", [registry, repository])
def test_a_published_version_with_another_content_is_refused(
    outside: Upstream, folder: Path, tmp_path: Path, base: Callable[[Upstream, bytes, str], str]
) -> None:
    other = packed(folder / "kafka", "kafka", "22.1.5")
    with pytest.raises(SourceError) as raised:
        ChartSource(base(outside, other, "22.1.5")).path("kafka", "22.1.5")
    for part in (
        hashlib.sha256(other).hexdigest(),
        published.SHA256["kafka-22.1.5.tgz"],
        "sources.charts",
        "directory",
    ):
        assert part in str(raised.value), f"{part} is missing"
    assert not list((tmp_path / "cache").rglob("*.tgz")), "it is used the next time"


def test_another_content_of_a_version_that_was_used_is_refused(
    outside: Upstream, archive: bytes, folder: Path, project: Path
) -> None:
    first = ChartSource(registry(outside, archive)).path("kafka", VERSION)
    (folder / "kafka/templates/service.yaml").write_text("kind: Other\n")
    with pytest.raises(SourceError, match="not the file that was used before"):
        ChartSource(repository(outside, packed(folder / "kafka", "kafka", VERSION))).path("kafka", VERSION)
    assert [str(path.relative_to(project)) for path in (project / ".local/charts").iterdir()] == [first]


def spoiled(outside: Upstream, archive: bytes, how: str) -> str:
    """A registry or repository in which something is wrong."""
    base = (repository if how.startswith("index") else registry)(outside, archive)
    digest, manifest = f"sha256:{hashlib.sha256(archive).hexdigest()}", f"hub/charts/kafka:{VERSION}"
    match how:
        case "page":
            outside.manifests[manifest] = b"<html>log in first</html>"
        case "image":
            outside.push("hub/charts/kafka", VERSION, archive, layer="application/vnd.oci.image.layer.v1.tar+gzip")
        case "blob":
            outside.blobs[digest] = archive[:-1] + b"?"
        case "no archive":
            outside.push("hub/charts/kafka", VERSION, b"no archive")
        case "version":
            del outside.manifests[manifest]
        case "index page":
            outside.files["/charts/index.yaml"] = b"<html>log in first</html>"
        case "index version":
            outside.files["/charts/index.yaml"] = b"entries: {kafka: [{version: 1.0.0, urls: [a.tgz]}]}"
        case "index digest":
            del outside.files["/charts/index.yaml"]
            outside.publish("/charts", "kafka", VERSION, archive, digest="f" * 64)
    return base


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("page", "login page of the network"),
        ("image", "no Helm chart"),
        ("blob", "another file than it announced"),
        ("no archive", "no archive of a chart kafka"),
        ("version", "404 Not Found"),
        ("index page", "login page of the network"),
        ("index version", f"has no chart kafka {VERSION}"),
        ("index digest", "is not the file of"),
    ],
)
def test_what_is_no_such_chart_is_told_as_such_and_not_kept(
    outside: Upstream, archive: bytes, tmp_path: Path, how: str, told: str
) -> None:
    with pytest.raises(SourceError, match=told):
        ChartSource(spoiled(outside, archive, how)).path("kafka", VERSION)
    assert not [file for file in (tmp_path / "cache").rglob("*") if file.is_file()], "it is used the next time"


@BASES
@pytest.mark.parametrize(("fault", "told"), [(429, "its limit of downloads"), (503, "503"), (SILENT, "silence")])
def test_a_host_that_fails_is_named_with_the_way_out(
    outside: Upstream, archive: bytes, base: Base, fault: int | str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.sources.download.SILENCE_SECONDS", 0.2)
    source, outside.fault = base(outside, archive), fault
    with pytest.raises(SourceError, match=told) as raised:
        ChartSource(source).path("kafka", VERSION)
    assert outside.host in str(raised.value) and "sources.charts" in str(raised.value)
    outside.fault = None
    assert ChartSource(source).path("kafka", VERSION), "a failure was kept"


def test_a_failure_that_passes_is_tried_again(outside: Upstream, archive: bytes) -> None:
    source, outside.fault, outside.fails = registry(outside, archive), 503, 2
    assert ChartSource(source).path("kafka", VERSION)


@pytest.mark.parametrize(
    ("host", "status", "command"),
    [
        ("registry-1.docker.io", 429, "six hours .* docker login$"),
        ("auth.docker.io", 401, "may read it, .* docker login$"),
        ("ghcr.io", 403, "may read it, .* docker login ghcr.io$"),
        ("ghcr.io", 429, "^Wait, .* docker login ghcr.io$"),
    ],
)
def test_a_registry_that_refuses_is_told_with_the_login_that_helps(
    monkeypatch: pytest.MonkeyPatch, host: str, status: int, command: str
) -> None:
    def refused(*_: object) -> bytes:
        raise StatusError(host, status, Message())

    monkeypatch.setattr("components.sources.oci_registry.fetch", refused)
    with pytest.raises(SourceError) as raised:
        ChartSource("oci://registry.example/charts").path("kafka", VERSION)
    assert re.search(command, raised.value.ways_out[0]), raised.value.ways_out

"""Where manifests come from: a folder, a URL (served on loopback), or a refusal that says the way out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

from components.sources import published
from components.sources.release_manifests import ManifestSource, SourceError
from tests.unit import small_release
from tests.upstream import SILENT, Upstream, upstream


@pytest.fixture
def outside() -> Iterator[Upstream]:
    """A server on the loopback interface."""
    with upstream() as running:
        yield running


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A download cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


FILE = "/serving/releases/download/knative-v1.10.2/serving-crds.yaml"
OTHER = "1.10.9"
"""A version whose published sha256 the program does not know."""
PLACE = f"/serving/releases/download/knative-v{OTHER}/serving-crds.yaml"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next try follows at once."""
    monkeypatch.setattr("components.sources.download.PAUSES", (0, 0))


def load(base: str, version: str = OTHER) -> list[dict[str, object]]:
    """The small release's definitions from a base."""
    return ManifestSource(base).load("serving", version, "serving-crds.yaml")


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_folder_is_read_in_the_upstream_layout(small: Path, slash: str) -> None:
    assert load(f"{small}{slash}", "1.10.2") == small_release.definitions(), "other objects than the file's"


def test_a_url_is_asked_once_and_kept(small: Path, outside: Upstream) -> None:
    outside.files[PLACE] = (small / FILE[1:]).read_bytes()
    assert load(outside.url) == load(outside.url) == small_release.definitions(), "other objects than the server's"
    assert outside.asked == [PLACE], "every preview downloads again, or something else is asked for"


def test_a_missing_file_names_the_file_and_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as raised:
        load(str(tmp_path))
    assert f"{tmp_path}{PLACE}" in str(raised.value), "the person does not know which file is missing"
    assert "knative-releases:sources.manifests" in str(raised.value), "the person does not know what to set"


def test_a_missing_page_names_the_url_and_is_not_kept(small: Path, outside: Upstream) -> None:
    with pytest.raises(
        SourceError, match=f"cannot download {outside.url}{PLACE}: {outside.host} answers 404 Not Found"
    ):
        load(outside.url)
    outside.files[PLACE] = (small / FILE[1:]).read_bytes()
    assert load(outside.url) == small_release.definitions(), "a failure was kept"


def test_nobody_listening_is_told_as_such(outside: Upstream) -> None:
    outside.refuse()
    with pytest.raises(SourceError, match=r"cannot download .* refused"):
        load(outside.url)


def test_a_truncated_download_is_refused_and_not_kept(small: Path, outside: Upstream, cache_folder: Path) -> None:
    outside.files[PLACE] = (small / FILE[1:]).read_bytes()
    outside.missing = 100
    with pytest.raises(SourceError, match=f"{outside.url}{PLACE}"):
        load(outside.url)
    assert not [file for file in cache_folder.rglob("*") if file.is_file()], "half a manifest was kept"
    outside.missing = 0
    assert load(outside.url) == small_release.definitions(), "half a manifest was kept"


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


def test_a_page_that_is_no_manifest_is_not_kept(small: Path, outside: Upstream) -> None:
    outside.files[PLACE] = b"<html>log in first</html>"
    with pytest.raises(SourceError):
        load(outside.url)
    outside.files[PLACE] = (small / FILE[1:]).read_bytes()
    assert load(outside.url) == small_release.definitions(), "a proxy's login page stays in the cache for good"


def test_a_refusal_ends_without_a_traceback() -> None:
    assert issubclass(SourceError, pulumi.RunError), "Pulumi prints a traceback for any other error"


def test_a_published_file_that_is_another_one_is_refused_and_not_kept(
    small: Path, outside: Upstream, cache_folder: Path
) -> None:
    outside.files[FILE] = (small / FILE[1:]).read_bytes()
    with pytest.raises(SourceError) as raised:
        load(outside.url, "1.10.2")
    told, found = str(raised.value), hashlib.sha256(outside.files[FILE]).hexdigest()
    for part in (FILE, found, published.SHA256["serving-1.10.2-serving-crds.yaml"], "sources.manifests"):
        assert part in told, f"{part} is missing: {told}"
    assert not [file for file in cache_folder.rglob("*") if file.is_file()], "it is used the next time"


def test_a_file_that_was_damaged_in_the_cache_is_fetched_again(
    small: Path, outside: Upstream, cache_folder: Path
) -> None:
    outside.files[PLACE] = (small / FILE[1:]).read_bytes()
    load(outside.url)
    (kept,) = cache_folder.rglob("*-serving-crds.yaml")
    kept.write_text("kind: Damaged\nmetadata: {}\n")
    assert load(outside.url) == small_release.definitions(), "a damaged file is used"
    assert len(outside.asked) == 2, "it was not asked for again"


def test_another_content_of_a_version_that_was_used_is_refused_with_the_way_to_accept_it(
    small: Path, outside: Upstream, cache_folder: Path
) -> None:
    outside.files[PLACE] = (small / FILE[1:]).read_bytes()
    load(outside.url)
    outside.files[f"/mirror{PLACE}"] = changed = outside.files[PLACE] + b"---\nkind: More\nmetadata: {name: more}\n"
    with pytest.raises(SourceError, match=hashlib.sha256(changed).hexdigest()) as raised:
        load(f"{outside.url}/mirror")
    (command,) = re.findall(r"rm (\S+)", str(raised.value))
    assert Path(command).is_relative_to(cache_folder)
    Path(command).unlink()
    assert [o["kind"] for o in load(f"{outside.url}/mirror")][-1] == "More", "the way out leads nowhere"


@pytest.mark.parametrize("fault", [500, 503, 504])
def test_a_passing_failure_is_tried_again(small: Path, outside: Upstream, fault: int) -> None:
    outside.files[PLACE] = (small / FILE[1:]).read_bytes()
    outside.fault, outside.fails = fault, 2
    assert load(outside.url) == small_release.definitions(), "one bad answer ends the update"
    assert outside.asked == [PLACE] * 3


def test_a_silent_host_is_named_after_its_time(outside: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.sources.download.SILENCE_SECONDS", 0.2)
    outside.fault = SILENT
    with pytest.raises(SourceError, match=rf"{outside.host} does not answer: 0.2 s of silence"):
        load(outside.url)
    assert len(outside.asked) == 3, "a person waits longer, or one lost packet ends the update"


def test_a_limit_is_told_at_once(outside: Upstream) -> None:
    outside.fault = 429
    with pytest.raises(SourceError, match="429 Too Many Requests, its limit of downloads is used up"):
        load(outside.url)
    assert len(outside.asked) == 1, "each further request counts against the limit"

"""Helm charts: fetched once, kept in the user's cache, and given to the engine as a path that is the same everywhere.

The provider loads a release's chart at each preview and each update, and asks a registry again each time. So it gets a
file of the project's folder instead, whose name has the chart's version and content: another content is another path,
which is the change that the engine notices, and the state names nothing of a machine.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
import tempfile
import threading
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import yaml

from components.sources import published
from components.sources.cache import Kept, sha256
from components.sources.download import DownloadError, fetch
from components.sources.oci_registry import chart_archive
from components.sources.release_manifests import SourceError, downloaded

FOLDER: Final = Path(".local/charts")
"""Where the engine finds them, relative to the project's folder: programs and providers run there."""
DIGITS: Final = 12
"""Of a content's sha256, in its path."""
_WAY_OUT: Final = (
    "Take the charts from elsewhere: pulumi config set --path 'knative-releases:sources.charts' <directory, OCI base "
    "or repository>; a directory has a folder for each chart (helm pull --untar), which is taken as it is"
)


@dataclass
class ChartSource:
    """Charts below one base: an OCI registry (`oci://…`), a repository (`https://…`) or a directory."""

    base: str
    _index: dict[str, Any] | Exception | None = None
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def path(self, name: str, version: str) -> str:
        """Where the engine finds a chart: relative to the project, the same wherever the chart came from.

        Raises SourceError when it cannot be had, or is not the published one.
        """
        try:
            return str(self._placed(name, version))
        except OSError as error:
            raise SourceError(f"cannot place the chart {name} in {FOLDER}: {error.strerror}") from None

    def _placed(self, name: str, version: str) -> Path:
        if "://" not in self.base:
            return _placed_folder(Path(self.base) / name, self.base, name)
        file, place = f"{name}-{version}.tgz", f"{self.base.rstrip('/')}/{name}:{version}"
        kept = Kept(folder="charts", url=place, file=file, name=file, published=published.SHA256.get(file))
        archive = downloaded(
            kept,
            lambda: self._archive(name, version),
            lambda content: _checked(content, name, version, place),
            _WAY_OUT,
        )
        return _placed_archive(archive, name, version)

    def _archive(self, name: str, version: str) -> bytes:
        base = self.base.rstrip("/")
        if base.startswith("oci://"):
            return chart_archive(f"{base}/{name}:{version}")
        url, digest = self._entry(name, version)
        if url.startswith("oci://"):
            return chart_archive(url)
        archive = fetch(url)
        if digest and sha256(archive) != digest.removeprefix("sha256:"):
            raise SourceError(
                f"{url} is not the file of {base}/index.yaml: its sha256 is {sha256(archive)}, not {digest}"
            )
        return archive

    def _entry(self, name: str, version: str) -> tuple[str, str]:
        """URL of a chart's archive and its digest, as the repository's index has them."""
        place = f"{self.base.rstrip('/')}/index.yaml"
        with self._alone:  # the charts are fetched beside each other: the index once, and a silent host waited for once
            if self._index is None:
                try:
                    self._index = _index(fetch(place), place)
                except (DownloadError, SourceError) as error:
                    self._index = error
        if isinstance(self._index, Exception):
            raise self._index
        entries = self._index.get(name)
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict) and str(entry.get("version")) == version and entry.get("urls"):
                return urljoin(place, str(entry["urls"][0])), str(entry.get("digest") or "")
        raise SourceError(f"{place} has no chart {name} {version}", _WAY_OUT)


def _index(text: bytes, place: str) -> dict[str, Any]:
    try:
        index = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        index = None
    if not isinstance(index, dict) or not isinstance(index.get("entries"), dict):
        raise SourceError(f"{place} is no index of charts: a login page of the network?", _WAY_OUT)
    entries: dict[str, Any] = index["entries"]
    return entries


def _checked(archive: bytes, name: str, version: str, place: str) -> None:
    """Raise SourceError unless an archive holds this chart."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            member = tar.extractfile(f"{name}/Chart.yaml")
            chart = yaml.load(member.read(), Loader=yaml.CSafeLoader) if member else None
    except (tarfile.TarError, OSError, EOFError, zlib.error, KeyError, yaml.YAMLError):
        chart = None
    if not isinstance(chart, dict):
        raise SourceError(f"{place} is no archive of a chart {name}", _WAY_OUT)
    found = f"{chart.get('name')} {chart.get('version')}"
    if found != f"{name} {version}":
        raise SourceError(f"{place} is another chart: {found}", _WAY_OUT)


def _placed_archive(archive: bytes, name: str, version: str) -> Path:
    target = FOLDER / f"{name}-{version}-{sha256(archive)[:DIGITS]}.tgz"
    if not target.is_file() or target.read_bytes() != archive:
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=FOLDER, delete=False) as unfinished:
            unfinished.write(archive)
        Path(unfinished.name).replace(target)
    return target


def _placed_folder(source: Path, base: str, name: str) -> Path:
    """A copy of a chart's folder: its path has the content and nothing of where it came from."""
    try:
        chart = yaml.load((source / "Chart.yaml").read_text(), Loader=yaml.CSafeLoader) or {}
        digest = _content(source)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"no chart {name} in {base}: wanted {source}/Chart.yaml ({reason})", _WAY_OUT) from None
    target = FOLDER / f"{name}-{chart.get('version')}-{digest[:DIGITS]}"
    if not target.is_dir() or _content(target) != digest:
        FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=FOLDER))
        shutil.copytree(source, unfinished, dirs_exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)  # somebody changed it
        try:
            unfinished.replace(target)
        except OSError:  # an update of another stack was quicker
            shutil.rmtree(unfinished)
    return target


def _content(folder: Path) -> str:
    """The sha256 of all files of a folder, names included."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(folder).as_posix()} {sha256(file.read_bytes())}\n".encode())
    return digest.hexdigest()

"""Where manifests and charts come from: upstream, a mirror, or a folder."""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pulumi
import yaml

from components.manifests import Manifest

DOWNLOAD_SECONDS = 60
"""Longest wait for a manifest; the largest is 0.4 MB."""


class SourceError(pulumi.RunError):
    """A manifest cannot be read; the message names it and the setting that redirects it."""


@dataclass(frozen=True)
class Chart:
    """What a Helm release is made from: arguments of the same names."""

    chart: str
    version: str | None
    repository: str | None = None


@dataclass(frozen=True)
class ManifestSource:
    """Release manifests below one base, a directory or a URL, laid out like the upstream repositories' releases."""

    base: str

    def load(self, repository: str, version: str, file: str) -> list[Manifest]:
        """The objects of a release's file, such as ("serving", "1.10.2", "serving-core.yaml").

        Raises SourceError when it cannot be read or is not a list of Kubernetes objects.
        """
        place = f"{self.base.rstrip('/')}/{repository}/releases/download/knative-v{version}/{file}"
        if "://" not in place:
            return _objects(_read(Path(place)), place)
        kept = _cache_file(place)
        if kept.is_file():
            return _objects(kept.read_text(), place)
        text = _download(place)
        objects = _objects(text, place)
        _keep(text, kept)  # only what was understood: a proxy's login page would stay for good
        return objects


def chart(base: str, name: str, version: str) -> Chart:
    """The chart of a name below a base: an OCI registry (`oci://…`), a repository (`https://…`) or a directory."""
    if base.startswith("oci://"):
        return Chart(f"{base.rstrip('/')}/{name}", version)
    if "://" in base:
        return Chart(name, version, base)
    folder = Path(base) / name
    if not (folder / "Chart.yaml").is_file():
        raise SourceError(
            f"no chart {name} in {base}: wanted {folder}/Chart.yaml. "
            "Redirect it: pulumi config set --path 'knative-releases:sources.charts' <directory or repository>"
        )
    return Chart(str(folder), None)


_WAY_OUT = (
    "Redirect it: pulumi config set --path 'knative-releases:sources.manifests' <directory or URL>, "
    "laid out as <base>/serving/releases/download/knative-v<version>/<file>"
)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise SourceError(f"cannot read the manifest {path}: {error.strerror}. {_WAY_OUT}") from None


def _objects(text: str, place: str) -> list[Manifest]:
    try:
        objects = [o for o in yaml.load_all(text, Loader=yaml.CSafeLoader) if o]
    except yaml.YAMLError as error:
        raise SourceError(f"{place} is no YAML: {error}. {_WAY_OUT}") from None
    if not objects or not all(isinstance(o, dict) and "kind" in o and "metadata" in o for o in objects):
        raise SourceError(f"{place} holds no Kubernetes objects. {_WAY_OUT}")
    return objects


def _download(url: str) -> str:
    try:
        # Any scheme that urllib knows may be meant: the base is the user's own setting.
        with urllib.request.urlopen(url, timeout=DOWNLOAD_SECONDS) as response:  # nosec B310
            text: str = response.read().decode()
    except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
        raise SourceError(f"cannot download {url}: {getattr(error, 'reason', error)}. {_WAY_OUT}") from None
    return text


def _cache_file(url: str) -> Path:
    """Where the text at a URL is kept, in the user's cache: a release's file never changes."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "knative-releases" / "manifests"
    return cache / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}-{url.rpartition('/')[2]}"


def _keep(text: str, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as unfinished:
        unfinished.write(text)
    Path(unfinished.name).rename(file)

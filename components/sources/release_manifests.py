"""Where manifests come from: upstream, a mirror, or a folder. Also what a failed source says, charts included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pulumi
import yaml

from components.manifests import Manifest
from components.sources import published
from components.sources.cache import Kept, OtherContentError
from components.sources.download import DownloadError, StatusError, fetch

TOO_MANY: Final = 429
LOGIN_WANTED: Final = (401, 403)
_WAY_OUT: Final = (
    "Redirect it: pulumi config set --path 'knative-releases:sources.manifests' <directory or URL>, "
    "laid out as <base>/serving/releases/download/knative-v<version>/<file>; files in a directory are taken as they are"
)


class SourceError(pulumi.RunError):
    """Something that comes from outside cannot be had.

    problem: names the thing and what is wrong. ways_out: what a person can do, a line each.
    """

    def __init__(self, problem: str, *ways_out: str) -> None:
        super().__init__("\n".join([problem, *ways_out]))
        self.problem, self.ways_out = problem, ways_out


def together(errors: Sequence[SourceError]) -> SourceError:
    """All problems in one message, and each way out once."""
    ways_out = dict.fromkeys(way for error in errors for way in error.ways_out)
    lines = ["sources cannot be read; nothing was changed:", *(f"  - {error.problem}" for error in errors)]
    return SourceError("\n".join([*lines, *ways_out]))


@dataclass(frozen=True)
class ManifestSource:
    """Release manifests below one base, a directory or a URL, laid out like the upstream repositories' releases."""

    base: str

    def load(self, repository: str, version: str, file: str) -> list[Manifest]:
        """The objects of a release's file, such as ("serving", "1.10.2", "serving-core.yaml").

        Raises SourceError when it cannot be read, is not the published file or is not a list of Kubernetes objects.
        """
        place = f"{self.base.rstrip('/')}/{repository}/releases/download/knative-v{version}/{file}"
        if "://" not in place:
            return _objects(_read(Path(place)), place)
        name = f"{repository}-{version}-{file}"
        kept = Kept(folder="manifests", url=place, file=file, name=name, published=published.SHA256.get(name))
        content = downloaded(kept, lambda: fetch(place), lambda c: _objects(_text(c, place), place), _WAY_OUT)
        return _objects(_text(content, place), place)


def downloaded(kept: Kept, download: Callable[[], bytes], check: Callable[[bytes], object], way_out: str) -> bytes:
    """What is in the cache, or is downloaded into it. Raises SourceError that says which place failed and how."""
    try:
        return kept.content(download, check)
    except DownloadError as error:
        raise SourceError(
            f"cannot download {kept.url}: {error}{_remark(error)}", *_remedies(error, kept.url), way_out
        ) from None
    except OtherContentError as error:
        raise SourceError(f"cannot use {kept.url}: {error}", *error.ways_out, way_out) from None
    except OSError as error:
        raise SourceError(f"cannot keep {kept.url} in {error.filename}: {error.strerror}") from None


def _remark(error: DownloadError) -> str:
    limited = isinstance(error, StatusError) and error.status == TOO_MANY
    return ", its limit of downloads is used up" if limited else ""


def _remedies(error: DownloadError, place: str) -> list[str]:
    """What helps against some statuses of a registry, beside another source."""
    if not isinstance(error, StatusError) or not place.startswith("oci://"):
        return []
    hub = error.host.endswith("docker.io")
    command = "docker login" if hub else f"docker login {error.host}"
    if error.status in LOGIN_WANTED:
        return [f"Log in as a user who may read it, then repeat the command: {command}"]
    if error.status == TOO_MANY:
        limit = "Docker Hub allows 100 downloads in six hours to an address without a login, and more with one. "
        return [f"{limit if hub else ''}Wait, or log in and repeat the command: {command}"]
    return []


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise SourceError(f"cannot read the manifest {path}: {error.strerror}", _WAY_OUT) from None


def _text(content: bytes, place: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise SourceError(f"{place} is no text", _WAY_OUT) from None


def _objects(text: str, place: str) -> list[Manifest]:
    try:
        objects = [o for o in yaml.load_all(text, Loader=yaml.CSafeLoader) if o]
    except yaml.YAMLError as error:
        raise SourceError(f"{place} is no YAML: {error}", _WAY_OUT) from None
    if not objects or not all(isinstance(o, dict) and "kind" in o and "metadata" in o for o in objects):
        page = ": a login page of the network?" if text.lstrip().startswith("<") else ""
        raise SourceError(f"{place} holds no Kubernetes objects{page}", _WAY_OUT)
    return objects

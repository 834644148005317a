"""Image archives (`docker save` format): which images they hold, and so which workloads wait for them, and when one has
to be loaded again.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from components.sources.images import Reference
from components.sources.release_manifests import SourceError


def images_of(archive: Path) -> frozenset[str]:
    """References of the images that an archive holds. Raises SourceError, see `_index`."""
    return frozenset(str(Reference.parse(tag)) for entry, _ in _index(archive) for tag in entry["RepoTags"] or [])


def content_of(archive: Path) -> str:
    """A name for what an archive holds, the same wherever it lies: of its references and its images' configurations,
    which name each layer by its digest. The layers themselves, which are large, are not read.

    Raises SourceError, see `_index`.
    """
    held = [[entry["RepoTags"], hashlib.sha256(configuration).hexdigest()] for entry, configuration in _index(archive)]
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()[:16]


def names_of(archives: Iterable[str]) -> dict[str, str]:
    """A short name for each archive: its file's, with a number from the second of that name on. Pure."""
    names: dict[str, str] = {}
    for archive in archives:
        stem = Path(archive).stem
        numbered = (f"{stem}-{number}" for number in itertools.count(2))
        names[archive] = next(name for name in itertools.chain([stem], numbered) if name not in names.values())
    return names


def _index(archive: Path) -> list[tuple[dict[str, Any], bytes]]:
    """The entries of an archive's manifest.json, each with its image's configuration.

    Raises SourceError when there is no such file, or when it is not an uncompressed archive of `docker save`.
    """
    way_out = "Make it (make up SOURCES=offline, or docker save), or take it out of sources.archives"
    try:
        with tarfile.open(archive, "r:") as tar:

            def content(member: str) -> bytes:
                file = tar.extractfile(member)
                return file.read() if file else b""

            entries: list[dict[str, Any]] = json.loads(content("manifest.json") or "[]")
            return [({"RepoTags": entry["RepoTags"]}, content(entry["Config"])) for entry in entries]
    except FileNotFoundError:
        raise SourceError(f"no image archive {archive}. {way_out}") from None
    except (tarfile.TarError, KeyError, TypeError, ValueError, OSError) as error:
        raise SourceError(f"{archive} is no uncompressed archive of docker save ({error}). {way_out}") from None


def holds(images: Iterable[str], reference: str) -> bool:
    """Whether `reference` is among the images; one without a tag (a chart's own choice) is by its repository. Pure."""
    wanted = Reference.parse(reference)
    found = (Reference.parse(image) for image in images)
    return any(each.repository == wanted.repository and wanted.suffix in ("", each.suffix) for each in found)

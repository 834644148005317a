"""Image archives (`docker save` format): which images they hold, and so which workloads wait for them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable
from pathlib import Path

from components.images import Reference
from components.sources import SourceError


def images_of(archive: Path) -> frozenset[str]:
    """References of the images that an archive holds.

    Raises SourceError when there is no such file, or when it is not an uncompressed archive of `docker save`.
    """
    way_out = "Make it (make up SOURCES=offline, or docker save), or take it out of sources.archives"
    try:
        with tarfile.open(archive, "r:") as tar:
            index = tar.extractfile("manifest.json")
            entries = json.load(index) if index else []
        return frozenset(str(Reference.parse(tag)) for entry in entries for tag in entry["RepoTags"] or [])
    except FileNotFoundError:
        raise SourceError(f"no image archive {archive}. {way_out}") from None
    except (tarfile.TarError, KeyError, TypeError, ValueError, OSError) as error:
        raise SourceError(f"{archive} is no uncompressed archive of docker save ({error}). {way_out}") from None


def holds(images: Iterable[str], reference: str) -> bool:
    """Whether `reference` is among the images; one without a tag (a chart's own choice) is by its repository. Pure."""
    wanted = Reference.parse(reference)
    found = (Reference.parse(image) for image in images)
    return any(each.repository == wanted.repository and wanted.suffix in ("", each.suffix) for each in found)

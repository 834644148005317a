"""Whether a release has the objects that the program sets values in."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi

from components.manifests import Manifest, key


class UnknownReleaseError(pulumi.RunError):
    """A release lacks objects that the program changes or waits for; the message lists them."""


def require(release: str, way: str, manifests: Iterable[Manifest], wanted: Iterable[tuple[str, str, str]]) -> None:
    """Raise UnknownReleaseError where a release lacks objects: what is set in them would have no effect. Pure.

    release: its name and version, for people.
    way: the command that chooses another.
    wanted: keys of the objects, as `key` gives them.
    """
    found = set(map(key, manifests))
    if lacking := [" ".join(filter(None, each)) for each in wanted if each not in found]:
        raise UnknownReleaseError(
            f"the manifests of {release} (sources.manifests) lack objects that the program sets values in: "
            f"{', '.join(lacking)}. Nothing was changed. Where they are whole, the program does not know this release; "
            f"take one that it was run with: {way}"
        )

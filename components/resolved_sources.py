"""What comes from elsewhere, read before any resource is registered: what is missing leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from components.archives import images_of
from components.manifests import Manifest
from components.sources import Chart, ManifestSource, SourceError, chart

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SourceArgs:
    """Where things are, and which versions of them."""

    manifests: str
    """Directory or URL below which the release manifests are."""
    knative_version: str | None
    """None: Knative and Kourier are not installed."""
    kourier_version: str
    charts: str
    """OCI base, repository URL or directory of the charts."""
    chart_versions: Mapping[str, str]
    archives: Sequence[str] = ()
    """Image archives, `docker save` format."""


@dataclass(frozen=True, kw_only=True)
class ResolvedSources:
    """What was found."""

    definitions: Sequence[Manifest]
    core: Sequence[Manifest]
    kourier: Sequence[Manifest]
    charts: Mapping[str, Chart]
    archives: Mapping[str, frozenset[str]]
    """The images that each archive holds."""


def resolve(args: SourceArgs) -> ResolvedSources:
    """Read the manifests and find the charts and archives. Raises SourceError that lists everything missing."""
    source = ManifestSource(args.manifests)
    problems: list[str] = []

    def found(read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except SourceError as error:
            problems.append(str(error))
            return otherwise

    def manifests(repository: str, version: str, file: str) -> list[Manifest]:
        return found(lambda: source.load(repository, version, file), []) if args.knative_version else []

    serving = args.knative_version or ""
    resolved = ResolvedSources(
        definitions=manifests("serving", serving, "serving-crds.yaml"),
        core=manifests("serving", serving, "serving-core.yaml"),
        kourier=manifests("net-kourier", args.kourier_version, "kourier.yaml"),
        charts={
            name: found(lambda n=name, v=version: chart(args.charts, n, v), Chart(name, version))  # type: ignore[misc]
            for name, version in args.chart_versions.items()
        },
        archives={a: found(lambda a=a: images_of(Path(a)), frozenset()) for a in args.archives},  # type: ignore[misc]
    )
    if problems:
        raise SourceError("\n".join(["sources cannot be read; nothing was changed:", *(f"  - {p}" for p in problems)]))
    return resolved

"""What comes from elsewhere, read before any resource is registered: what is missing leaves nothing behind.

All of it is read at once, so that a person sees every problem, and a host that is silent costs its time but once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from components.manifests import Manifest
from components.sources.archives import images_of
from components.sources.charts import ChartSource
from components.sources.expected import checked
from components.sources.release_manifests import ManifestSource, SourceError, together

FIRST_WORD_SECONDS, NEXT_WORD_SECONDS = 5.0, 15.0
"""After how long a person reads what is still being waited for, and how often from then on."""
DEFINITIONS, CORE, KOURIER = "serving-crds.yaml", "serving-core.yaml", "kourier.yaml"
"""The manifests of a release."""


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
    charts: Mapping[str, str]
    """The charts' paths, relative to the project's folder."""
    archives: Mapping[str, frozenset[str]]
    """The images that each archive holds."""


def resolve(args: SourceArgs) -> ResolvedSources:
    """Read the manifests and find the charts and archives. Raises SourceError that lists everything missing."""
    manifests, charts, serving = ManifestSource(args.manifests), ChartSource(args.charts), args.knative_version
    wanted: dict[str, Callable[[], Any]] = {}
    if serving:
        wanted[DEFINITIONS] = partial(manifests.load, "serving", serving, DEFINITIONS)
        wanted[CORE] = lambda: checked(manifests.load("serving", serving, CORE), CORE)
        wanted[KOURIER] = lambda: checked(manifests.load("net-kourier", args.kourier_version, KOURIER), KOURIER)
    wanted |= {_chart(name): partial(charts.path, name, version) for name, version in args.chart_versions.items()}
    wanted |= {archive: partial(images_of, Path(archive)) for archive in args.archives}
    found = _together(wanted)
    return ResolvedSources(
        definitions=found.get(DEFINITIONS, []),
        core=found.get(CORE, []),
        kourier=found.get(KOURIER, []),
        charts={name: found[_chart(name)] for name in args.chart_versions},
        archives={archive: found[archive] for archive in args.archives},
    )


def _chart(name: str) -> str:
    return f"chart {name}"


def _together(wanted: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """What each of them returns; all run beside each other. Raises SourceError for all that fail."""
    with ThreadPoolExecutor(max(len(wanted), 1)) as threads:
        futures = {name: threads.submit(read) for name, read in wanted.items()}
        begun, waiting, seconds = time.monotonic(), set(futures.values()), FIRST_WORD_SECONDS
        while waiting := wait(waiting, seconds).not_done:
            seconds = NEXT_WORD_SECONDS
            names = ", ".join(name for name, future in futures.items() if future in waiting)
            # The engine shows what a program prints at once, and its own log only when the program pauses.
            print(f"still waiting for {names}: {time.monotonic() - begun:.0f} s", flush=True)
    errors = [error for future in futures.values() if (error := future.exception())]
    if unforeseen := [error for error in errors if not isinstance(error, SourceError)]:
        raise unforeseen[0]
    if errors:
        raise together([error for error in errors if isinstance(error, SourceError)])
    return {name: future.result() for name, future in futures.items()}

"""Where samples come from: the sources by their names, and how one is made from what a user wrote.

A source of somebody's own needs no change here: `package.module:factory` names a callable that takes what `Factory`
takes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from analysis import AnalysisError
from analysis.model import Source
from analysis.sources import gateway
from analysis.sources.probes import Probes
from analysis.sources.prometheus import Prometheus, Queries


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What sources need to get to their numbers."""

    kubeconfig: str = field(repr=False)
    """Of the stack's outputs; kept in memory."""
    cluster: str
    """Its name, for messages."""
    path: str | None
    """Path that answers with the pod's name; None: the service has none."""
    preview: bool = False
    """Whether the candidate has no share, so that each track is known by the URL that is asked."""
    cluster_local: bool = False
    """Whether nobody outside the cluster can ask the service."""
    queries: Queries = field(default_factory=Queries)
    """For a Prometheus."""


def _probes(reach: Reach) -> Probes:
    if reach.cluster_local:
        raise AnalysisError(
            "probes are sent from outside the cluster, and the service is cluster-local: "
            + (
                "without this look go on by `rollout promote`, or end by `rollout abort`"
                if reach.preview
                else "take another source: gateway, prometheus:<URL>"
            )
        )
    if reach.path is None and not reach.preview:
        raise AnalysisError(
            "probes need a path that tells which pod answered: name it in the service's manifest (annotation "
            "knative-releases/info-path), or take another source: gateway, prometheus:<URL>"
        )
    return Probes(reach.path)


Factory = Callable[[str, Reach], Source]
"""Makes a source from what stands behind its name and a colon (empty where there is none). Raises AnalysisError."""

SOURCES: Mapping[str, Factory] = {
    "gateway": lambda _, reach: gateway.of_cluster(reach.kubeconfig, reach.cluster),
    "probes": lambda _, reach: _probes(reach),
    "prometheus": lambda url, reach: Prometheus(url, reach.queries),
}
"""The sources that are here, by name."""
WANTED = "gateway, probes, prometheus:<URL>, or <module>:<callable> for one of your own"


def source(given: str, reach: Reach) -> Source:
    """The source that a text names: `gateway`, `probes`, `prometheus:http://127.0.0.1:9090`, `my.module:factory`.

    Nothing is asked yet. Raises AnalysisError, with what was given and what is wanted.
    """
    name, _, rest = given.partition(":")
    if name in SOURCES:
        return SOURCES[name](rest, reach)
    try:
        factory = getattr(importlib.import_module(name), rest)
    except (ImportError, AttributeError, ValueError) as error:
        raise AnalysisError(f"No source of metrics is named {given!r} ({error}). Wanted: {WANTED}") from None
    found: Source = factory("", reach)
    return found

"""What Knative itself refuses, but only when its webhook or its controller sees it: told before anything is made.

From the validation of Knative Serving 1.10 and 1.23 (`pkg/apis/serving`, `pkg/apis/autoscaling`), which agree here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from settings.problems import Problem, remove_command, set_command
from settings.releases import Service, Stable, Track
from settings.types import DNS_LABEL_LENGTH

RESERVED = ("PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION")
"""Variables that Knative sets in every container."""
CONFIGURATION_LENGTH = DNS_LABEL_LENGTH - 11
"""Longest name of a configuration: a revision's name adds at least `-<1 of version>-<8 of digest>`."""


AUTOSCALER, ZERO_PODS = "config-autoscaler", "allow-zero-initial-scale"
"""ConfigMap and entry that let a version begin without pods; Knative as released does not."""

_TRUE = ("1", "t", "T", "true", "True", "TRUE")
"""What Knative reads as true (strconv.ParseBool, by AsBool of knative.dev/pkg/configmap)."""


def begins_with_pods(knative: Any) -> bool:
    """Whether every version has to begin with a pod: the program installs Knative, and its configuration says no other.
    Pure.

    knative: the setting `knative`, as it was written.
    """
    given = knative if isinstance(knative, Mapping) else {}
    config = given.get("config")
    entries = config.get(AUTOSCALER) if isinstance(config, Mapping) else None
    zero = entries.get(ZERO_PODS) if isinstance(entries, Mapping) else None
    return given.get("install", True) is True and str(zero) not in _TRUE


def refused_by_knative(services: Mapping[str, Service], *, with_pods: bool) -> Iterator[Problem]:
    """Settings of versions that Knative would refuse.

    with_pods: whether every version has to begin with a pod.
    """
    for name, service in services.items():
        if len(name) > CONFIGURATION_LENGTH:
            wanted = f"at most {CONFIGURATION_LENGTH} characters: its revisions' names are longer than its own"
            yield Problem(f"services.{name}", f"a name of {len(name)} characters", wanted)
        for path, version in _versions(name, service):
            yield from _variables(path, version)
            yield from _scales(path, version, with_pods)


def _versions(name: str, service: Service) -> Iterator[tuple[str, Stable | Track]]:
    yield f"services.{name}.stable", service.stable
    for track, version in service.tracks.items():
        yield f"services.{name}.tracks.{track}", version


def _variables(path: str, version: Stable | Track) -> Iterator[Problem]:
    for variable in sorted(set(RESERVED) & set(version.env)):
        where = f"{path}.env.{variable}"
        wanted = f"another name: Knative sets {', '.join(RESERVED)} itself"
        yield Problem(where, f"the variable {variable}", wanted, remove_command(where))


def _scales(path: str, version: Stable | Track, with_pods: bool) -> Iterator[Problem]:
    least, most = version.min_scale or 0, version.max_scale or 0  # 0 pods at most: no limit
    if most and least > most:
        where = f"{path}.minScale"
        yield Problem(where, f"{least}, and maxScale is {most}", "at most maxScale", set_command(where, str(most)))
    if version.initial_scale == 0 and with_pods:
        where = f"{path}.initialScale"
        allowed = set_command(f"knative.config.{AUTOSCALER}.{ZERO_PODS}", "true")
        wanted = f"at least 1: Knative as released lets no version begin without pods; to allow it: {allowed}"
        yield Problem(where, "0", wanted, remove_command(where))

"""What Knative itself refuses, but only when its webhook or its controller sees it: told before anything is made.

From the validation of Knative Serving 1.10 and 1.23 (`pkg/apis/serving`, `pkg/apis/autoscaling`), which agree here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from settings.problems import Problem, remove_command, set_command
from settings.releases import Service, Stable, Track
from settings.types import DNS_LABEL_LENGTH

RESERVED = ("PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION")
"""Variables that Knative sets in every container."""
CONFIGURATION_LENGTH = DNS_LABEL_LENGTH - 11
"""Longest name of a configuration: a revision's name adds at least `-<1 of version>-<8 of digest>`."""


def refused_by_knative(services: Mapping[str, Service], *, installs: bool) -> Iterator[Problem]:
    """Settings of versions that Knative would refuse.

    installs: whether the program installs Knative, with the released configuration of its autoscaler.
    """
    for name, service in services.items():
        if len(name) > CONFIGURATION_LENGTH:
            wanted = f"at most {CONFIGURATION_LENGTH} characters: its revisions' names are longer than its own"
            yield Problem(f"services.{name}", f"a name of {len(name)} characters", wanted)
        for path, version in _versions(name, service):
            yield from _variables(path, version)
            yield from _scales(path, version, installs)


def _versions(name: str, service: Service) -> Iterator[tuple[str, Stable | Track]]:
    yield f"services.{name}.stable", service.stable
    for track, version in service.tracks.items():
        yield f"services.{name}.tracks.{track}", version


def _variables(path: str, version: Stable | Track) -> Iterator[Problem]:
    for variable in sorted(set(RESERVED) & set(version.env)):
        where = f"{path}.env.{variable}"
        wanted = f"another name: Knative sets {', '.join(RESERVED)} itself"
        yield Problem(where, f"the variable {variable}", wanted, remove_command(where))


def _scales(path: str, version: Stable | Track, installs: bool) -> Iterator[Problem]:
    least, most = version.min_scale or 0, version.max_scale or 0  # 0 pods at most: no limit
    if most and least > most:
        where = f"{path}.minScale"
        yield Problem(where, f"{least}, and maxScale is {most}", "at most maxScale", set_command(where, str(most)))
    if version.initial_scale == 0 and installs:
        where = f"{path}.initialScale"
        wanted = "at least 1: Knative as released lets no version begin without pods"
        yield Problem(where, "0", wanted, remove_command(where))

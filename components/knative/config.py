"""Entries of Knative's ConfigMaps that a person sets, besides those that the program does. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pulumi

from components.manifests import Manifest

Entries = Mapping[str, Mapping[str, str]]
"""By ConfigMap."""


class KnativeConfigError(pulumi.RunError):
    """Entries that cannot be set; the message lists all of them. No resource exists yet."""


def with_given(
    ours: Mapping[str, pulumi.Input[Mapping[str, str]]], given: Entries
) -> dict[str, pulumi.Input[Mapping[str, str]]]:
    """The program's entries and the given ones, which `problems` has seen."""
    result = {**given, **ours}
    for name, data in ours.items():
        if isinstance(data, Mapping):
            result[name] = {**given.get(name, {}), **data}
    return result


def problems(ours: Mapping[str, Mapping[str, str]], given: Entries, core: Sequence[Manifest]) -> Iterator[str]:
    """What is wrong with given entries: those that are the program's, and ConfigMaps that the release lacks.

    core: objects of the release's serving-core.yaml.
    """
    known = sorted(each["metadata"]["name"] for each in core if each["kind"] == "ConfigMap")
    for name, entries in given.items():
        path = f"knative-releases:knative.config.{name}"
        remove = f"pulumi config rm --path '{path}'"
        if name not in known:
            yield f"{path}: given a ConfigMap that this release lacks; wanted one of {', '.join(known)}"
        elif name == "config-domain":
            yield f"{path}: given entries; wanted knative.domain, which sets them. Run: {remove}"
        elif taken := sorted(set(entries) & set(ours.get(name, {}))):
            given_too = ", ".join(taken)
            yield f"{path}: given {given_too}; wanted none of these, which the program sets. Run: {remove}"


def refuse(found: Sequence[str]) -> None:
    """Raise KnativeConfigError where there are problems."""
    if found:
        lines = "\n".join(f"  - {problem}" for problem in found)
        raise KnativeConfigError(f"Knative's configuration does not fit; nothing was changed:\n{lines}")

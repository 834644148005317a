"""What differs between the releases of Knative Serving, as far as the program has to know. Pure.

The manifests themselves are taken as they are: which objects a release has, and in which order they can be applied, is
read from them (`components.knative.serving.grouped`). The templates that the program writes fit both ends of the range.
"""

from __future__ import annotations

import re

VERSION_LABEL = "app.kubernetes.io/version"
"""Label of every object of a release."""
OLDEST, NEWEST = "1.10.2", "1.23.0"
"""The releases that the program was run with."""


def as_numbers(version: str) -> tuple[int, ...]:
    """A version for comparisons; what is no version is older than all."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    return tuple(map(int, found.groups())) if found else ()


def refused_change(installed: str, wanted: str) -> str | None:
    """Why a living Knative cannot be brought from one version to another, with the way out; None where it can."""
    if not as_numbers(installed) or as_numbers(installed)[:2] == as_numbers(wanted)[:2]:
        return None
    return (
        f"Knative {installed} is installed, and knative.version is {wanted}. A living Knative is not brought to "
        "another minor release: upstream supports one at a time, and none was run here. Nothing of it was changed. Go "
        f"back: pulumi config set --path 'knative-releases:knative.version' {installed}\n"
        f"To have {wanted}, bring up a second stack with it on a cluster of its own (pulumi stack init), and move the "
        "users there; or, if nothing has to be kept: pulumi destroy && pulumi up"
    )

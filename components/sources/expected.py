"""What the program changes in a release by its name, and so has to be there: a release that renamed it would install
well and not work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from components.manifests import GATEWAY, Manifest, key
from components.sources.knative_versions import NEWEST, OLDEST
from components.sources.release_manifests import SourceError

_CONFIG_MAPS: Final = ("config-network", "config-domain", "config-features", "config-gc", "config-observability")
OBJECTS: Final[Mapping[str, Sequence[tuple[str, str, str]]]] = {
    "serving-core.yaml": [
        ("Namespace", "", "knative-serving"),
        *(("ConfigMap", "knative-serving", name) for name in _CONFIG_MAPS),
        ("Deployment", "knative-serving", "activator"),
    ],
    "kourier.yaml": [
        ("Namespace", "", "kourier-system"),
        ("Deployment", "kourier-system", GATEWAY),
        ("Service", "kourier-system", "kourier"),
    ],
}
"""Kind, namespace and name, by the release's file."""


def checked(manifests: list[Manifest], file: str) -> list[Manifest]:
    """The objects of a release's file. Raises SourceError that lists what is not among them."""
    there = {key(manifest) for manifest in manifests}
    lacking = [" ".join(filter(None, wanted)) for wanted in OBJECTS.get(file, ()) if wanted not in there]
    if lacking:
        raise SourceError(
            f"{file} lacks what the program changes in it: {', '.join(lacking)}",
            f"The releases {OLDEST} and {NEWEST} were run: "
            f"pulumi config set --path 'knative-releases:knative.version' {OLDEST}",
        )
    return manifests

"""The manifests that the offline toolchain assembles are the release's own, but for images."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from offline.knative import differences, load
from tests.e2e.environment import SOURCES

RELEASES = os.environ.get("KNATIVE_RELEASE_MANIFESTS")
# The default release, and those that were built beside it.
FOUND = {"1.10.2": SOURCES, "1.23.0": SOURCES.with_name("sources-1.23.0.yaml")}
FILES = [
    (release, file)
    for release, sources in FOUND.items()
    for file in ("serving-crds.yaml", "serving-core.yaml")
    if RELEASES and sources.exists()
]


@pytest.mark.parametrize(("release", "file"), FILES or [("", "nothing to compare with")])
def test_the_assembled_serving_manifests_equal_the_releases(release: str, file: str) -> None:
    if not FILES:
        print("KNATIVE_RELEASE_MANIFESTS is not set, or nothing was assembled: nothing to compare")
        return
    assembled = Path(yaml.safe_load(FOUND[release].read_text())["manifests"])
    ours = load(assembled / f"serving/releases/download/knative-v{release}" / file)
    theirs = load(Path(str(RELEASES)) / f"v{release}" / file)
    assert len(ours) == len(theirs) > 0
    assert differences(ours, theirs) == [], "the offline environment is not the release"

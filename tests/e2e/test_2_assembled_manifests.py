"""The manifests that the offline toolchain assembles are the release's own, but for images."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from offline.knative import differences, load
from tests.e2e.environment import SOURCES

RELEASES = os.environ.get("KNATIVE_RELEASE_MANIFESTS")
FILES = ("serving-crds.yaml", "serving-core.yaml") if RELEASES and SOURCES.exists() else ()


@pytest.mark.parametrize("file", FILES or ["nothing to compare with"])
def test_the_assembled_serving_manifests_equal_the_releases(file: str) -> None:
    if not FILES:
        print("KNATIVE_RELEASE_MANIFESTS is not set, or nothing was assembled: nothing to compare")
        return
    assembled = Path(yaml.safe_load(SOURCES.read_text())["manifests"])
    ours = load(assembled / "serving/releases/download/knative-v1.10.2" / file)
    theirs = load(Path(str(RELEASES)) / "v1.10.2" / file)
    assert len(ours) == len(theirs) > 0
    assert differences(ours, theirs) == [], "the offline environment is not the release"

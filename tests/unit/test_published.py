"""The published sha256 that the program knows: of the default versions, and the real files have them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from components.sources import published
from settings import Settings
from tests.conftest import MANIFESTS_VARIABLE
from tests.unit.conftest import RELEASES


def test_the_defaults_are_known() -> None:
    settings = Settings()
    names = [
        f"serving-{settings.knative.version}-serving-crds.yaml",
        f"serving-{settings.knative.version}-serving-core.yaml",
        f"net-kourier-{settings.knative.kourier_version}-kourier.yaml",
        f"kafka-{settings.kafka.chart_version}.tgz",
        f"postgresql-{settings.postgresql.chart_version}.tgz",
        f"redis-{settings.redis.chart_version}.tgz",
    ]
    assert [name for name in names if name not in published.SHA256] == [], "any content is taken for a default version"


def test_the_release_manifests_are_the_published_ones(manifests: Path) -> None:
    for release, kourier in RELEASES.items():
        names = {
            f"serving/releases/download/knative-v{release}/serving-crds.yaml": f"serving-{release}-serving-crds.yaml",
            f"serving/releases/download/knative-v{release}/serving-core.yaml": f"serving-{release}-serving-core.yaml",
            f"net-kourier/releases/download/knative-v{kourier}/kourier.yaml": f"net-kourier-{kourier}-kourier.yaml",
        }
        real = MANIFESTS_VARIABLE in os.environ and (manifests / next(iter(names))).is_symlink()
        for file, name in names.items():
            if (manifests / file).is_file():
                found = hashlib.sha256((manifests / file).read_bytes()).hexdigest()
                assert (found == published.SHA256[name]) == real, f"{file} has the sha256 {found}"

"""Fixtures of the unit tests: folders of release manifests, in the upstream layout."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

from tests.conftest import MANIFESTS_VARIABLE
from tests.unit import small_release

# The same examples in every run, and no failure because a machine is slow.
hypothesis.settings.register_profile("unit", derandomize=True, deadline=None, max_examples=40)
hypothesis.settings.load_profile("unit")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small manifests, written by the tests."""
    return small_release.write(tmp_path_factory.mktemp("small"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of `manifests` runs with the small ones and, where a folder is named, with the real ones."""
    if "manifests" in metafunc.fixturenames:
        sources = ["small", *(["released"] if os.environ.get(MANIFESTS_VARIABLE) else [])]
        metafunc.parametrize("manifests", sources, indirect=True)


@pytest.fixture(scope="session")
def manifests(request: pytest.FixtureRequest, small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Release manifests, small or real."""
    if request.param == "small":
        return small
    base, given = tmp_path_factory.mktemp("released"), Path(os.environ[MANIFESTS_VARIABLE]).resolve()
    files = [
        (*small_release.SERVING, "serving-crds.yaml"),
        (*small_release.SERVING, "serving-core.yaml"),
        (*small_release.KOURIER, "kourier.yaml"),
    ]
    for repository, version, name in files:
        file = small_release.release_file(base, repository, version, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(given / f"v{small_release.SERVING[1]}" / name)
    return base

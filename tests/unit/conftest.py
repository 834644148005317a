"""Fixtures of the unit tests: folders of release manifests, in the upstream layout."""

from __future__ import annotations

import os
import re
from pathlib import Path

import hypothesis
import pytest

from tests.conftest import MANIFESTS_VARIABLE
from tests.unit import checkout_guard, small_release

# The same examples in every run, and no failure because a machine is slow.
hypothesis.settings.register_profile("unit", derandomize=True, deadline=None, max_examples=40)
hypothesis.settings.load_profile("unit")


PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
OF_THE_SHELL = re.compile(
    f"PULUMI_.*|SOURCES|KNATIVE|WATCH|KUBECONFIG|DOCKER_HOST|{'|'.join((*PROXIES, *map(str.upper, PROXIES)))}"
)
"""Variables that a user's shell may have, and that change what the product does."""


def pytest_configure(config: pytest.Config) -> None:
    """What using the product changes is closed to all unit tests, and no test depends on its user's shell."""
    config.pluginmanager.register(checkout_guard)
    for name in list(os.environ):
        if OF_THE_SHELL.fullmatch(name):
            del os.environ[name]


RELEASES = {"1.10.2": "1.10.0", "1.23.0": "1.23.0"}
"""Releases of Serving that the program is tested with, and the Kourier of each."""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy of the machine that runs the tests is none of theirs."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small manifests, written by the tests."""
    return small_release.write(tmp_path_factory.mktemp("small"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of `manifests` runs with the small ones and, where a folder is named, with the real ones."""
    if "manifests" in metafunc.fixturenames:
        sources = ["small", *(RELEASES if os.environ.get(MANIFESTS_VARIABLE) else ())]
        metafunc.parametrize("manifests", sources, indirect=True)


@pytest.fixture(scope="session")
def manifests(request: pytest.FixtureRequest, small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Release manifests, small or real."""
    if request.param == "small":
        return small
    release: str = request.param
    base, given = tmp_path_factory.mktemp("released"), Path(os.environ[MANIFESTS_VARIABLE]).resolve()
    files = [
        ("serving", release, "serving-crds.yaml"),
        ("serving", release, "serving-core.yaml"),
        ("net-kourier", RELEASES[release], "kourier.yaml"),
    ]
    for repository, version, name in files:
        file = small_release.release_file(base, repository, version, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(given / f"v{release}" / name)
    return base

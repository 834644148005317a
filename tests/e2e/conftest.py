"""Fixtures of the end-to-end tests: one environment, brought up once, its tests in the order of the files' numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.environment import Environment
from tests.e2e.traffic import Client


def _home() -> Path:
    cache = os.environ.get("KNATIVE_RELEASES_CACHE")
    root = (
        Path(cache) if cache else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "knative-releases"
    )
    return root / "e2e"


@pytest.fixture(scope="session")
def environment() -> Iterator[Environment]:
    """The end-to-end environment, empty: what a broken run left is removed first, and everything at the end."""
    environment = Environment("e2e", _home())
    environment.clear()
    yield environment
    environment.clear()
    environment.close()


@pytest.fixture
def client(environment: Environment) -> Client:
    """Requests to the environment's ingress, at the port that it has now."""
    return Client(environment.port)

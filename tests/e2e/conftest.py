"""Fixtures of the end-to-end tests: one environment, brought up once, its tests in the order of the files' numbers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from offline.cache import root
from tests.e2e.environment import Environment
from tests.e2e.traffic import Client


@pytest.fixture(scope="session")
def environment() -> Iterator[Environment]:
    """The end-to-end environment, empty: what a broken run left is removed first, and everything at the end."""
    environment = Environment("e2e", root() / "e2e")
    environment.clear()
    yield environment
    environment.clear()
    environment.close()


@pytest.fixture
def client(environment: Environment) -> Client:
    """Requests to the environment's ingress, at the port that it has now."""
    return Client(environment.port)

"""Fixtures of the end-to-end tests: one environment, brought up once, its tests in the order of the files' numbers."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from offline.cache import root
from tests.e2e.environment import Environment
from tests.e2e.traffic import Client


@pytest.fixture(scope="session")
def environment() -> Iterator[Environment]:
    """The end-to-end environment, empty: what a broken run left is removed first, and everything at the end.

    E2E_NAME names another one, for two runs beside each other.
    """
    name = os.environ.get("E2E_NAME", "e2e")
    environment = Environment(name, root() / name)
    environment.clear()
    yield environment
    environment.clear()
    environment.close()


@pytest.fixture
def client(environment: Environment) -> Client:
    """Requests to the environment's ingress, at the port that it has now."""
    return Client(environment.port)

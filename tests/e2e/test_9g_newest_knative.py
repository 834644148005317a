"""The newest Knative that the program was run with: the conference environment on it, from nothing to nothing; and a
living environment that is not brought to it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from components.sources.knative_versions import NEWEST, OLDEST
from offline.cache import root
from tests.e2e.environment import SOURCES, CommandError, Environment
from tests.e2e.traffic import Client, Prober, assert_share, observed

pytestmark = pytest.mark.long

NOTIFICATIONS = "notifications-service"
SERVICES = ("frontend", "c4p-service", "agenda-service", NOTIFICATIONS)
CANARY = {NOTIFICATIONS: {"tracks": {"canary": {"version": "v1.1.0"}}}}
DARK = {"frontend": {"tracks": {"next": {"version": "v1.1.0", "tag": "next"}}}}


@pytest.fixture(scope="module")
def newest() -> Iterator[Environment]:
    """An environment of its own, empty."""
    name = f"{os.environ.get('E2E_NAME', 'e2e')}-newest"
    environment = Environment(name, root() / name)
    environment.clear()
    yield environment
    environment.clear()
    environment.close()


@pytest.fixture(scope="module")
def settings(newest: Environment) -> dict[str, Any]:
    """Settings that ask for the newest Knative; offline it is built first, beside the default one."""
    asked: dict[str, Any] = {"knative": {"version": NEWEST}}
    if not SOURCES.exists():
        return asked
    file = SOURCES.with_name(f"sources-{NEWEST}.yaml")
    build = [sys.executable, "-m", "offline", "build", "--knative", NEWEST, "--sources", str(file)]
    newest.run(*build, seconds=1800)
    return {**asked, "sources": str(file)}


def test_the_whole_environment_runs_on_it(newest: Environment, settings: dict[str, Any]) -> None:
    newest.configure({**CANARY, **DARK}, canaryPercent=50, **settings)
    newest.up()
    client = Client(newest.port)
    controller = newest.kubectl("get", "deployment", "controller", "--namespace", "knative-serving", "-o", "yaml")
    assert f"app.kubernetes.io/version: {NEWEST}" in controller, "another Knative is running"
    for service in SERVICES[:3]:
        assert client.version(service) == "1.0.0", f"{service} answers"
    assert_share(observed(client, NOTIFICATIONS, 500), "1.1.0", 50)
    assert client.version("next-frontend") == "1.1.0"
    assert client.version("frontend", headers={"Knative-Serving-Tag": "next"}) == "1.1.0"


def test_a_second_up_and_a_refresh_find_nothing_to_change(newest: Environment) -> None:
    newest.up("--expect-no-changes")
    newest.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_a_release_on_it_loses_no_request(newest: Environment, settings: dict[str, Any]) -> None:
    client = Client(newest.port)
    with Prober(client, NOTIFICATIONS) as prober:
        for percent in (10, 0):
            newest.configure({**CANARY, **DARK}, canaryPercent=percent, **settings)
            newest.up()
        newest.configure({NOTIFICATIONS: {"stable": {"version": "v1.1.0"}}, **DARK}, **settings)
        newest.up()
        assert_share(observed(client, NOTIFICATIONS, 100), "1.1.0", 100)
    prober.assert_nothing_lost()


def test_a_living_one_is_not_brought_to_another_minor_release(newest: Environment, settings: dict[str, Any]) -> None:
    services = {NOTIFICATIONS: {"stable": {"version": "v1.1.0"}}, **DARK}
    newest.configure(services)  # the default release, and its sources
    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        with pytest.raises(CommandError) as raised:
            newest.pulumi(*command)
        output = str(raised.value)
        assert f"Knative {NEWEST} is installed, and knative.version is {OLDEST}" in output, output
        assert "Traceback" not in output, "a person reads a message, not a traceback"
    newest.configure(services, **settings)
    newest.up()
    assert Client(newest.port).version(NOTIFICATIONS) == "1.1.0", "it goes on as before"

"""Versions that never become ready: refused within the limit, with the reason, and nothing that ran is disturbed."""

from __future__ import annotations

import pytest

from tests.e2e.environment import CommandError, Environment
from tests.e2e.traffic import Client, Prober, assert_share, observed

NOTIFICATIONS = "notifications-service"


def failing_up(environment: Environment) -> str:
    """Output of an `up` that has to fail."""
    with pytest.raises(CommandError) as failed:
        environment.up()
    assert "Traceback" not in str(failed.value), "a person reads a message, not a traceback"
    return str(failed.value)


def test_an_image_that_cannot_be_pulled_fails_with_its_reason_while_another_service_is_released(
    environment: Environment, client: Client
) -> None:
    half = {"tracks": {"canary": {"version": "v1.1.0", "percent": 50}}}
    environment.configure({NOTIFICATIONS: half})
    environment.up()
    broken = {"tracks": {"canary": {"version": "v9.9.9", "percent": 50}}}
    good = {"tracks": {"canary": {"version": "v1.1.0", "percent": 100}}}
    environment.configure({NOTIFICATIONS: broken, "agenda-service": good})
    with Prober(client, NOTIFICATIONS) as prober:
        output = failing_up(environment)
        assert_share(observed(client, NOTIFICATIONS, 300), "1.1.0", 50)  # where it was
    prober.assert_nothing_lost()
    assert f"Configuration {NOTIFICATIONS}-canary is not ready; its traffic stays where it was" in output, output
    assert "v9.9.9" in output and "pull" in output.lower(), f"the pod's own reason is told:\n{output}"
    assert_share(observed(client, "agenda-service", 50), "1.1.0", 100)


def test_the_next_good_up_recovers(environment: Environment, client: Client) -> None:
    environment.configure({NOTIFICATIONS: {"tracks": {"canary": {"version": "v1.1.0", "percent": 100}}}})
    environment.up()
    assert_share(observed(client, NOTIFICATIONS, 100), "1.1.0", 100)
    environment.up("--expect-no-changes")

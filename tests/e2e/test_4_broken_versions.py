"""Versions that never become ready: refused within the limit, with the reason, and nothing that ran is disturbed.

One `up` releases four services: three of them a version that cannot start, each for another reason, one a good share.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.environment import CommandError, Environment
from tests.e2e.traffic import Client, Prober, assert_share, observed

NOTIFICATIONS, FRONTEND, C4P, AGENDA = "notifications-service", "frontend", "c4p-service", "agenda-service"
SECONDS = 40
"""Limit of the ups that have to fail."""
LATE = 20
"""Seconds that the end of a wait may take to be noticed and told, on a busy machine."""
FAILED = re.compile(r"(?:creating|updating) \((\d+)s\).*error: 1 error occurred")


def canary(percent: int, **settings: Any) -> dict[str, Any]:
    """Settings of a service with a canary, v1.1.0 unless the settings say another version."""
    return {"tracks": {"canary": {"version": "v1.1.0", "percent": percent, **settings}}}


def failing_up(environment: Environment) -> str:
    """Output of an `up` that has to fail."""
    with pytest.raises(CommandError) as failed:
        environment.up()
    assert "Traceback" not in str(failed.value), "a person reads a message, not a traceback"
    return str(failed.value)


def configure_broken(environment: Environment, services: Mapping[str, Any]) -> None:
    """The services' settings, with a short limit."""
    environment.configure(services, readyWithin=f"{SECONDS}s")


@dataclass(frozen=True)
class Failure:
    """An `up` that failed: what it said, and the load during it."""

    output: str
    probers: Mapping[str, Prober]


@pytest.fixture(scope="module")
def failure(environment: Environment) -> Failure:
    """Good canaries; then three services get a version that cannot start, and agenda's canary all of its requests."""
    environment.configure({NOTIFICATIONS: canary(50), AGENDA: canary(50)})
    environment.up()
    configure_broken(
        environment,
        {
            NOTIFICATIONS: canary(50, version="v9.9.9"),
            FRONTEND: canary(50, cpu=64),
            C4P: {"stable": {"env": {"FAULT_NEVER_READY": True}}},
            AGENDA: canary(100),
        },
    )
    with ExitStack() as stack:
        probers = {
            name: stack.enter_context(Prober(Client(environment.port), name, workers=2))
            for name in (NOTIFICATIONS, FRONTEND, C4P)
        }
        output = failing_up(environment)
    return Failure(output, probers)


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (f"Configuration {NOTIFICATIONS}-canary", ("v9.9.9", "pull")),
        (f"Configuration {FRONTEND}-canary", ("Insufficient cpu",)),
        (f"Service {C4P}", ("user-container: Error (exit code 1)", "log of c4p-service-v1-0-0")),
    ],
    ids=["an image that cannot be pulled", "a pod that cannot be scheduled", "a stable version that ends at once"],
)
def test_it_fails_with_the_pods_own_reason(failure: Failure, who: str, why: tuple[str, ...]) -> None:
    begin = failure.output.find(f"{who} is not ready; its traffic stays where it was")
    assert begin >= 0, f"{who} is told:\n{failure.output}"
    told = failure.output[begin:].lower()
    for part in why:
        assert part.lower() in told, f"{part} is told of {who}:\n{failure.output}"


def test_it_fails_within_the_limit(failure: Failure) -> None:
    waits = [int(seconds) for seconds in FAILED.findall(failure.output)]
    assert len(waits) == 3, f"three objects failed:\n{failure.output}"
    assert all(SECONDS <= wait < SECONDS + LATE for wait in waits), f"they were waited for {waits} s"


def test_the_traffic_stays_where_it_was_and_no_request_is_lost(failure: Failure, client: Client) -> None:
    for prober in failure.probers.values():
        prober.assert_nothing_lost()
    assert_share(observed(client, NOTIFICATIONS, 300), "1.1.0", 50)
    assert_share(observed(client, FRONTEND, 50), "1.0.0", 100)
    assert_share(observed(client, C4P, 50), "1.0.0", 100)


@pytest.mark.usefixtures("failure")
def test_another_services_release_in_the_same_up_went_through(client: Client) -> None:
    assert_share(observed(client, AGENDA, 50), "1.1.0", 100)


@pytest.mark.usefixtures("failure")
def test_the_same_settings_fail_again_while_the_rest_is_released(environment: Environment, client: Client) -> None:
    configure_broken(environment, {NOTIFICATIONS: canary(10, version="v9.9.9"), AGENDA: {}})
    output = failing_up(environment)
    assert "v9.9.9" in output, f"a broken canary is waited for again:\n{output}"
    assert_share(observed(client, NOTIFICATIONS, 300), "1.1.0", 50)
    assert_share(observed(client, AGENDA, 50), "1.0.0", 100)
    assert_share(observed(client, C4P, 20), "1.0.0", 100)


@pytest.mark.usefixtures("failure")
def test_the_next_good_up_recovers(environment: Environment, client: Client) -> None:
    environment.configure({NOTIFICATIONS: canary(100)})
    with Prober(client, NOTIFICATIONS) as prober:
        environment.up()
        assert_share(observed(client, NOTIFICATIONS, 100), "1.1.0", 100)
    prober.assert_nothing_lost()
    configure_broken(environment, {NOTIFICATIONS: canary(100)})
    environment.up("--expect-no-changes")  # another limit changes no object

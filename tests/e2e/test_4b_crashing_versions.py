"""Versions that become ready and crash later: the way back works at once, although a target is down.

Knative 1.10 keeps a revision Ready that was ready once, so its share goes on failing until a person takes it away.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.e2e.environment import Environment, eventually
from tests.e2e.test_4_broken_versions import (
    AGENDA,
    C4P,
    FRONTEND,
    NOTIFICATIONS,
    canary,
    configure_broken,
    failing_up,
)
from tests.e2e.traffic import Client, Prober, assert_share, observed

CRASH = {"env": {"FAULT_CRASH_AFTER_SECONDS": 30}}
DOWN = {NOTIFICATIONS: "canary", FRONTEND: "version110", C4P: "stable"}
"""The track that crashes, by service."""
GREEN = {"version": "v1.1.0", "tag": "green", "percent": 100, "minScale": 1}
BLUE: dict[str, Any] = {"tag": "blue", "minScale": 1}
BLUE_ANEW = {"stable": {**BLUE, "restart": "1"}, "tracks": {"green": GREEN}}
BACK_TO_BLUE = {"stable": {**BLUE, "restart": "1"}, "tracks": {"green": {**GREEN, "percent": 0}}}
AFTERWARDS = 5
"""Seconds of load after an abort."""


def pods(environment: Environment, revision: str) -> list[dict[str, Any]]:
    """A revision's pods."""
    return environment.get("pods", "-l", f"serving.knative.dev/revision={revision}")


def restarts(environment: Environment, revision: str) -> int:
    """How often the containers of a revision's pods were started again."""
    found = pods(environment, revision)
    return sum(s["restartCount"] for pod in found for s in pod["status"].get("containerStatuses", []))


def shares(environment: Environment, service: str) -> list[int]:
    """The percentages that a Route has, stable's first."""
    (route,) = [r for r in environment.get("routes.serving.knative.dev") if r["metadata"]["name"] == service]
    return [target["percent"] for target in route["status"]["traffic"]]


def down(environment: Environment) -> list[str]:
    """Names of the revisions that crash."""
    services = environment.outputs()["services"]
    return [services[service]["tracks"][track]["revision"] for service, track in DOWN.items()]


def asleep(percent: int) -> dict[str, Any]:
    """An agenda with a version under a tag that keeps no pod."""
    return {"tracks": {"b": {"version": "v1.1.0", "tag": "b", "percent": percent}}}


def tagged(percent: int) -> dict[str, Any]:
    """A frontend with a crashing version under a tag."""
    return {"tracks": {"version110": {"version": "v1.1.0", "tag": "version110", "percent": percent, **CRASH}}}


def assert_no_request_is_lost_from_now_on(client: Client, service: str) -> None:
    """Requests that begin now are all answered."""
    with Prober(client, service) as prober:
        time.sleep(AFTERWARDS)
    prober.assert_nothing_lost()


@pytest.fixture(scope="module")
def crashed(environment: Environment) -> Environment:
    """An `up` that went well: a canary, a tagged track and a blue version, and each of them crashed since."""
    environment.configure(
        {
            NOTIFICATIONS: canary(50, **CRASH),
            FRONTEND: tagged(50),
            C4P: {"stable": {**BLUE, **CRASH}, "tracks": {"green": GREEN}},
            AGENDA: asleep(0),
        },
    )
    environment.up()
    for revision in down(environment):
        eventually(180, f"{revision} crashed", lambda r=revision: restarts(environment, r) >= 2)
    return environment


def test_a_crashed_revision_stays_ready_for_knative_and_freezes_no_route(crashed: Environment) -> None:
    looked_at = {*DOWN, *down(crashed)}
    found = [o for kind in ("revisions", "routes") for o in crashed.get(f"{kind}.serving.knative.dev")]
    ready = {
        o["metadata"]["name"]: next(c for c in o["status"]["conditions"] if c["type"] == "Ready")["status"]
        for o in found
        if o["metadata"]["name"] in looked_at
    }
    assert ready == dict.fromkeys(looked_at, "True")


def test_0_percent_takes_crashed_versions_out_at_once(crashed: Environment, client: Client) -> None:
    crashed.configure(
        {
            NOTIFICATIONS: canary(0, **CRASH),
            FRONTEND: tagged(0),
            C4P: BLUE_ANEW,
            AGENDA: asleep(0),
        },
    )
    begun = time.monotonic()
    crashed.up()
    print(f"the way back took {time.monotonic() - begun:.1f} s")
    for service in (NOTIFICATIONS, FRONTEND):
        assert_share(observed(client, service, 100), "1.0.0", 100)
        assert_no_request_is_lost_from_now_on(client, service)
    names = [c["metadata"]["name"] for c in crashed.get("configurations.serving.knative.dev")]
    assert f"{NOTIFICATIONS}-canary" not in names, "an aborted canary leaves nothing"
    assert f"{FRONTEND}-version110" in names, "at 0 percent a track with a tag is still there, and still crashing"


def test_a_blue_that_crashed_is_started_anew_while_green_answers(crashed: Environment, client: Client) -> None:
    assert client.version(f"blue-{C4P}") == "1.0.0", "the restarted blue answers under its tag"
    assert_share(observed(client, C4P, 50), "1.1.0", 100)
    crashed.configure({C4P: BACK_TO_BLUE, AGENDA: asleep(0)})
    with Prober(client, C4P) as prober:
        crashed.up()  # back to blue, and the frontend's crashing track goes
        assert_share(observed(client, C4P, 50), "1.0.0", 100)
    prober.assert_nothing_lost()
    names = [c["metadata"]["name"] for c in crashed.get("configurations.serving.knative.dev")]
    assert f"{FRONTEND}-version110" not in names, "removing the track is its abort"


def test_a_version_that_finds_no_room_when_it_wakes_freezes_its_route_until_it_is_taken_out(
    crashed: Environment,
) -> None:
    revision = crashed.outputs()["services"][AGENDA]["tracks"]["b"]["revision"]
    eventually(180, f"{revision} asleep", lambda: not pods(crashed, revision))
    crashed.kubectl("cordon", crashed.node)
    try:
        with pytest.raises(OSError, match="timed out"):
            Client(crashed.port, seconds=5).version(f"b-{AGENDA}")
        configure_broken(crashed, {C4P: BACK_TO_BLUE, AGENDA: asleep(10)})
        output = failing_up(crashed)
        assert f"Service {AGENDA} is not ready; its traffic stays where it was" in output, output
        assert "unschedulable" in output, f"the pod's own reason is told:\n{output}"
        assert shares(crashed, AGENDA) == [100, 0], "the Route is frozen"
        crashed.configure({C4P: BACK_TO_BLUE})
        crashed.up()
        assert shares(crashed, AGENDA) == [100], "without the track the Route moves at once"
    finally:
        crashed.kubectl("uncordon", crashed.node)

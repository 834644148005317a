"""Old revisions are collected by number, and collected ones come back by their names."""

from __future__ import annotations

from components.knative.serving import KEPT_REVISIONS
from tests.e2e.environment import Environment, eventually
from tests.e2e.traffic import Client, Prober, assert_share, observed

NOTIFICATIONS = "notifications-service"


def revisions(environment: Environment, configuration: str = NOTIFICATIONS) -> list[str]:
    """Names of a Configuration's revisions."""
    label = f"serving.knative.dev/configuration={configuration}"
    return sorted(r["metadata"]["name"] for r in environment.get("revisions.serving.knative.dev", "-l", label))


def release(environment: Environment, restart: str) -> str:
    """Release stable once more; the name of its revision."""
    environment.configure({NOTIFICATIONS: {"stable": {"restart": restart}}})
    environment.up()
    name: str = environment.outputs()["services"][NOTIFICATIONS]["tracks"]["stable"]["revision"]
    return name


def test_the_last_ones_are_kept_and_a_collected_one_comes_back(environment: Environment, client: Client) -> None:
    with Prober(client, NOTIFICATIONS) as prober:
        released = [release(environment, str(number)) for number in range(KEPT_REVISIONS + 2)]
        kept = sorted(released[1:])
        eventually(60, f"{kept} alone", lambda: revisions(environment) == kept)
        assert release(environment, "0") == released[0], "going back goes back to the name"
    prober.assert_nothing_lost()
    assert_share(observed(client, NOTIFICATIONS, 20), "1.0.0", 100)
    kept = sorted([released[0], *released[-KEPT_REVISIONS:]])
    eventually(60, f"{kept} alone", lambda: revisions(environment) == kept)


def test_going_to_0_and_back_adds_no_revision(environment: Environment) -> None:
    found = []
    for percent in (20, 0, 20):
        environment.configure({NOTIFICATIONS: {"tracks": {"canary": {"version": "v1.1.0", "percent": percent}}}})
        environment.up()
        eventually(60, "no more than are kept", lambda: len(revisions(environment)) <= KEPT_REVISIONS + 1)
        canaries = [] if percent == 0 else revisions(environment, f"{NOTIFICATIONS}-canary")
        found.append((revisions(environment), canaries))
    first, _, last = found
    assert len(first[1]) == 1, "the canary has one revision"
    assert last == first, "the same settings, the same revisions"

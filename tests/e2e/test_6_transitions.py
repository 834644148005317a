"""From any state to any other: a random walk under load loses no request, and shows after each step what was set."""

from __future__ import annotations

import os
import secrets

import pytest

from tests.conference import SERVICES
from tests.e2e import figures
from tests.e2e.environment import Environment
from tests.e2e.states import AGENDA, path
from tests.e2e.traffic import Client
from tests.e2e.walk import Walk

SHORT, LONG = 8, 40
"""Steps of the walk in `make e2e`, and in `make e2e-long`."""


@pytest.fixture
def seed() -> int:
    """Of the random walk: WALK_SEED, to walk the same way again, or a new one."""
    chosen = int(os.environ.get("WALK_SEED") or secrets.randbelow(10**6))
    print(f"\nseed of the walk: WALK_SEED={chosen}")
    return chosen


def walked(environment: Environment, client: Client, seed: int, steps: int) -> Walk:
    """A walk of so many steps from the plain state, under load from the first to the last."""
    walk = Walk(environment, client)
    walk.go("plain")
    walk.arrived()
    with walk.load(*SERVICES):
        for state in path(seed, steps):
            walk.step(state)
    return walk


def rolled_back_asleep(walk: Walk) -> float:
    """Agenda-service is promoted, has neither load nor pods for a while, and is rolled back; seconds to its first
    answer.
    """
    walk.go("plain")
    walk.go("scale to zero, promoted")
    walk.arrived()
    walk.fall_asleep(AGENDA)
    with walk.load(*(service for service in SERVICES if service != AGENDA)):
        step = walk.step("plain")
    assert step.onto == "cold", "the rollback leads to a revision without pods"
    return walk.first_answer(AGENDA)


def assert_nothing_lost(walk: Walk) -> None:
    """Requests were sent in every step, and all of them answered."""
    assert all(step.sent for step in walk.steps), "a step without requests proves nothing"
    assert not walk.lost, f"{len(walk.lost)} of {walk.sent} requests lost:\n" + "\n".join(walk.lost[:50])


def test_a_short_random_walk_loses_no_request(environment: Environment, client: Client, seed: int) -> None:
    assert_nothing_lost(walked(environment, client, seed, SHORT))


def test_a_service_that_sleeps_is_rolled_back_and_answers_from_zero(environment: Environment, client: Client) -> None:
    walk = Walk(environment, client)
    print(f"first answer from zero after {rolled_back_asleep(walk)} s")
    assert_nothing_lost(walk)


@pytest.mark.long
def test_a_long_random_walk_loses_no_request(environment: Environment, client: Client, seed: int) -> None:
    walk = walked(environment, client, seed, LONG)
    steps = list(walk.steps)
    first_answer = rolled_back_asleep(walk)
    assert_nothing_lost(walk)
    if os.environ.get(figures.KEEP_FIGURES) == "1":
        figures.keep(figures.collected(walk, steps, seed, first_answer))

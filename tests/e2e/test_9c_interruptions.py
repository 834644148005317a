"""An `up` that is interrupted anywhere: the next one goes on, no request is lost, and no container is left over."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from tests.e2e import trust_figures
from tests.e2e.environment import SOURCES, Environment
from tests.e2e.interruptions import CTRL_C, KILL, KILL_ENGINE, Interruption, Outcome, Point, Series
from tests.e2e.slow_registry import SlowRegistry
from tests.e2e.traffic import Client, Prober, assert_share, observed

NOTIFICATIONS = "notifications-service"
CANARY = {NOTIFICATIONS: {"tracks": {"canary": {"version": "v1.1.0"}}}}

CREATION = r"Command cluster-kind creating"
FRESH = (
    Point("the cluster is asked for", CREATION),
    Point("the node is started", CREATION, 3),
    Point("Kubernetes starts", CREATION, 8),
    Point("the first images are loaded", r"cluster-image-\w+ creating"),
    Point("the namespaces are made", r"Namespace knative-serving creating"),
    Point("Knative's definitions are made", r"CustomResourceDefinition .* creating", 0.2),
    Point("the control plane starts", r"Deployment knative-serving/controller creating", 2),
)
"""In the order in which a fresh `up` comes to them."""
PULL = Point("the node's image is pulled", "pulling the node's image", 3)
FRESH_STORES = (
    Point("Helm installs Kafka", r"Release kafka creating", 2),
    Point("Helm installs Redis", r"Release redis creating", 1),
    Point("the services start", r"serving.knative.dev/v1:Service agenda-service creating", 0.5),
)
"""In their order; from another fresh start, because the stores are made beside Knative."""
WAYS: Sequence[Sequence[Interruption]] = ((CTRL_C,), (KILL, KILL_ENGINE))
"""Ways of one series, in turn."""
TRACK = rf"Configuration {NOTIFICATIONS}-canary"
TRAFFIC = rf"Service {NOTIFICATIONS} updating"
RELEASE: Sequence[tuple[int, Point]] = (
    (50, Point("the track is made", f"{TRACK} creating")),
    (0, Point("the track goes", f"{TRACK} deleting")),
    (50, Point("the track gets ready", f"{TRACK} creating", 1)),
    (10, Point("the traffic moves", TRAFFIC)),
    (50, Point("the traffic has moved", TRAFFIC, 0.4)),
)
"""Share of the canary that the interrupted `up` was to make, and where it is interrupted; one after the other."""


def interrupted_fresh(
    environment: Environment, points: Sequence[tuple[Point, Interruption]], percent: int = 0
) -> list[Outcome]:
    """An `up` where there is no cluster, interrupted at each of the points in turn, and then let go to its end."""
    environment.configure(CANARY, canaryPercent=percent)
    series = Series(environment, "fresh up")
    with contextlib.suppress(AssertionError):  # it is in the outcomes
        for point, how in points:
            series.interrupt(point, how)
        series.converge()
    return series.outcomes


def interrupted_release(
    environment: Environment, client: Client, steps: Sequence[tuple[int, Point, Interruption]]
) -> tuple[list[Outcome], Prober]:
    """Releases under load, each interrupted once and then let go to its end."""
    outcomes: list[Outcome] = []
    environment.configure(CANARY, canaryPercent=0)
    environment.up()
    with Prober(client, NOTIFICATIONS, workers=2) as prober:
        for percent, point, how in steps:
            environment.configure(CANARY, canaryPercent=percent)
            series = Series(environment, "release")
            with contextlib.suppress(AssertionError):  # it is in the outcomes
                series.interrupt(point, how)
                series.converge()
            outcomes += series.outcomes
            assert_share(observed(client, NOTIFICATIONS, 300), "1.1.0", percent)
    return outcomes, prober


def assert_survived(outcomes: Sequence[Outcome], tried: int) -> None:
    """All interruptions took place, and the `up` after each went on."""
    lost = [outcome for outcome in outcomes if outcome.lost]
    assert not lost, "\n".join(f"{each.during}, {each.point}, {each.interruption}: {each.lost}" for each in lost)
    assert len(outcomes) == tried, f"{len(outcomes)} of {tried} interruptions took place"


def assert_answers(client: Client, *services: str) -> None:
    """The services answer, stores included."""
    for service in services:
        assert client.version(service) == "1.0.0", service


def test_a_lost_cluster_is_made_again_though_the_up_is_interrupted_again_and_again(
    environment: Environment, client: Client
) -> None:
    environment.run("kind", "delete", "cluster", "--name", environment.name)
    points = [(FRESH_STORES[0], KILL), (FRESH_STORES[-1], CTRL_C)]
    outcomes = interrupted_fresh(environment, points, percent=50)
    assert_survived(outcomes, len(points))
    assert [outcome.unlocked for outcome in outcomes] == [True, False], "ctrl-C leaves no lock"
    assert_answers(client, "frontend", "c4p-service", "agenda-service")
    assert_share(observed(client, NOTIFICATIONS, 300), "1.1.0", 50)


def test_a_release_that_is_interrupted_loses_no_request(environment: Environment, client: Client) -> None:
    steps = [(*RELEASE[0], KILL), (*RELEASE[1], CTRL_C)]
    outcomes, prober = interrupted_release(environment, client, steps)
    assert_survived(outcomes, len(steps))
    prober.assert_nothing_lost()


@pytest.mark.long
def test_a_destroy_after_an_interrupted_creation_leaves_nothing(environment: Environment) -> None:
    environment.destroy()
    series = Series(environment, "fresh up")
    series.interrupt(FRESH[1], KILL_ENGINE)
    environment.destroy()
    assert environment.resources() == [] and environment.containers() == [], "a cluster that no state knows of is left"


@pytest.mark.long
@pytest.mark.parametrize("ways", WAYS, ids=lambda ways: ways[0].name)
def test_a_fresh_up_is_interrupted_at_every_point(
    environment: Environment, client: Client, ways: Sequence[Interruption]
) -> None:
    outcomes: list[Outcome] = []
    for series in (FRESH, FRESH_STORES):
        environment.destroy()
        outcomes += interrupted_fresh(environment, [(point, ways[at % len(ways)]) for at, point in enumerate(series)])
    assert_survived(outcomes, len(FRESH) + len(FRESH_STORES))
    trust_figures.keep_outcomes(environment, outcomes)
    assert_answers(client, "frontend", "c4p-service", "agenda-service", NOTIFICATIONS)


@pytest.mark.long
def test_a_fresh_up_is_interrupted_while_the_node_s_image_is_pulled(
    environment: Environment, client: Client, tmp_path: Path
) -> None:
    environment.destroy()
    image = yaml.safe_load(SOURCES.read_text())["images"]["docker.io/kindest/node"]
    with SlowRegistry(image, tmp_path).serving() as registry:
        cluster = {"name": environment.name, "httpPort": environment.port, "nodeImage": registry.reference}
        environment.configure(cluster=cluster)
        series = Series(environment, "pull of the node's image")
        for how in (CTRL_C, KILL, KILL_ENGINE):
            sent = registry.sent
            series.interrupt(PULL, how)
            assert registry.sent > sent, "nothing was pulled: this test proves nothing"
        assert not environment.containers(), "something was made before the image was there"
        registry.slow.clear()
        series.converge()
        assert_survived(series.outcomes, 3)
        trust_figures.keep_outcomes(environment, series.outcomes)
        assert_answers(client, "frontend", NOTIFICATIONS)
        environment.destroy()


@pytest.mark.long
@pytest.mark.parametrize("ways", WAYS, ids=lambda ways: ways[0].name)
def test_a_release_is_interrupted_at_every_point(
    environment: Environment, client: Client, ways: Sequence[Interruption]
) -> None:
    steps = [(*step, ways[0]) for step in RELEASE]
    outcomes, prober = interrupted_release(environment, client, steps)
    assert_survived(outcomes, len(steps))
    trust_figures.keep_outcomes(environment, outcomes, prober)
    prober.assert_nothing_lost()

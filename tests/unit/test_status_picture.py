"""One picture after the other: who is asked, who is counted at the gateway, and what is not waited for."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from status import cluster, picture, wanted
from status.model import Service, Status
from status.picture import Pictures
from status.wanted import Wanted
from tests.unit.gateway_pods import Counts
from tests.unit.http_server import serving
from tests.unit.release_status import CANARY, STABLE, named, objects
from tests.unit.release_status import wanted as release
from tests.unit.test_status_gateway import AllPods


@dataclasses.dataclass
class World:
    """What the pictures are of; the gateway counts ten more requests of each revision whenever somebody sleeps."""

    service: Service
    pods: AllPods
    slept: list[float] = dataclasses.field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.slept.append(seconds)
        self.pods.gateways["gateway-1"] = {name: Counts(10 * len(self.slept)) for name in (STABLE, CANARY)}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Notifications without an info path."""
    made = World(release().status.services[0], AllPods())
    status = Status(stack="dev", cluster="dev", services=())
    kept = {name: named(name, **{"autoscaling.knative.dev/min-scale": "1"}) for name in (STABLE, CANARY)}
    monkeypatch.setattr(
        wanted, "read", lambda *_: Wanted(dataclasses.replace(status, services=(made.service,)), "the kubeconfig")
    )
    monkeypatch.setattr(cluster, "read", lambda *_: objects(revisions=kept))
    monkeypatch.setattr(picture, "environment", lambda *_: {})
    monkeypatch.setattr(picture, "ClusterPods", lambda *_: made.pods)
    monkeypatch.setattr("status.picture.time.sleep", made.sleep)
    return made


def one(pictures: Pictures) -> Service:
    """The only service of the next picture."""
    (service,) = pictures.read().services
    return service


def test_a_service_without_an_info_path_is_counted_between_two_readings(world: World) -> None:
    found = one(Pictures("dev", {}, 40, 5))
    assert found.counts and found.sample is None
    assert (found.counts.requests, [t.observed for t in found.tracks]) == (20, [10, 10])
    assert len(world.slept) == 1 and 4 < world.slept[0] <= 5


def test_watching_counts_on_from_the_first_picture_and_waits_for_nothing(world: World) -> None:
    pictures = Pictures("dev", {}, 40, 5, watching=True)
    found = one(pictures)
    assert found.counts and found.counts.requests == 0 and not world.slept
    world.sleep(2)
    world.sleep(2)
    again = one(pictures)
    assert again.counts and again.counts.requests == 40, "each picture begins anew"


@pytest.mark.parametrize("seconds", [0, 5])
def test_nobody_waits_where_nothing_is_counted(world: World, seconds: int) -> None:
    world.pods.gateways.clear()
    found = one(Pictures("dev", {}, 40, seconds))
    assert not world.slept and all(track.observed is None for track in found.tracks)
    assert (found.counts is None) == (seconds == 0)
    assert [track.reported for track in found.tracks] == [50, 50], "the rest is shown all the same"


def with_info_path(world: World, port: int, **more: Any) -> None:
    """The service names an info path, and is asked at this port."""
    url = world.service.url.replace(":8080", f":{port}")
    world.service = dataclasses.replace(world.service, info_path="/info", url=url, **more)


def test_a_service_with_an_info_path_is_asked_and_not_counted(world: World) -> None:
    with serving(lambda *_: (200, json.dumps({"podName": f"{STABLE}-x"}))) as port:
        with_info_path(world, port)
        found = one(Pictures("dev", {}, 7, 5))
    assert found.sample and found.sample.pods == {f"{STABLE}-x": 7}
    assert found.counts is None and not world.pods.asked and not world.slept


def test_a_cluster_local_service_is_counted_though_it_has_an_info_path(world: World) -> None:
    local = {"url": "http://notifications.default.svc.cluster.local"}
    with pytest.MonkeyPatch.context() as patch:
        service = objects().services["notifications"]
        inside = {**service, "status": {**service["status"], **local, "address": local}}
        found = objects(services={"notifications": inside})
        patch.setattr(cluster, "read", lambda *_: found)
        with_info_path(world, 8080)
        told = one(Pictures("dev", {}, 7, 5))
    assert told.cluster_local and told.sample is None and told.counts and told.counts.requests == 20
    assert told.url == local["url"], "the port of the outside does not lead there"


def test_a_stack_without_services_is_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Wanted(Status(stack="dev", cluster="dev", services=()), "the kubeconfig")
    monkeypatch.setattr(wanted, "read", lambda *_: empty)
    assert Pictures("dev", {}, 40, 5).read().services == () and not world.slept


def test_the_outputs_say_who_is_cluster_local() -> None:
    outputs = {"cluster": "dev", "kubeconfig": "k", "services": {"a": {"url": "http://a", "tracks": {}}}}
    assert not wanted.of_outputs("dev", outputs).status.services[0].cluster_local
    outputs["services"]["a"]["visibility"] = "cluster-local"  # type: ignore[index]
    assert wanted.of_outputs("dev", outputs).status.services[0].cluster_local

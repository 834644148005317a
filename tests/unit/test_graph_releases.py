"""Releases: which Configurations there are and where the traffic goes, for each step that a person takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.unit.recording import Recorded, record
from tests.unit.test_graph_tutorial import config_map, knative_service

NOTIFICATIONS = "notifications-service"


def released(manifests: Path, service: Mapping[str, Any], name: str = NOTIFICATIONS, **others: Any) -> Recorded:
    """The program with settings of one service."""
    recorded = record({"services": {name: service}, **others}, manifests)
    assert recorded.error is None, f"the program ended: {recorded.error!r}"
    return recorded


def configurations(recorded: Recorded) -> dict[str, Mapping[str, Any]]:
    """Revision templates of the Configurations, by name."""
    found = [r for r in recorded.resources if r.type == "kubernetes:serving.knative.dev/v1:Configuration"]
    return {r.name: r.inputs["spec"]["template"] for r in found}


def traffic(recorded: Recorded, name: str = NOTIFICATIONS) -> list[tuple[str, int, str | None]]:
    """A service's traffic: revision without its digest, percent, tag."""
    block = knative_service(recorded, name)["traffic"]
    return [(target["revisionName"].rpartition("-")[0], target["percent"], target.get("tag")) for target in block]


def canary(percent: int, **stable: Any) -> dict[str, Any]:
    """Settings with v1.1.0 as the canary."""
    return {"stable": stable, "tracks": {"canary": {"version": "v1.1.0", "percent": percent}}}


STABLE = f"{NOTIFICATIONS}-v1-0-0"
CANARY = f"{NOTIFICATIONS}-canary-v1-1-0"


def test_a_canary_at_0_is_not_there(small: Path) -> None:
    recorded = released(small, {"tracks": {"canary": {"version": "v1.1.0"}}}, canaryPercent=0)
    assert traffic(recorded) == [(STABLE, 100, None)], "an abort leaves a target that can freeze the Route"
    assert not configurations(recorded), "an abort leaves pods behind"


def test_a_canary_at_50_shares_with_stable(small: Path) -> None:
    recorded = released(small, {"tracks": {"canary": {"version": "v1.1.0"}}}, canaryPercent=50)
    assert traffic(recorded) == [(STABLE, 50, None), (CANARY, 50, None)], "half of the requests go astray"
    template = configurations(recorded)[f"{NOTIFICATIONS}-canary"]
    named = {target["revisionName"] for target in knative_service(recorded, NOTIFICATIONS)["traffic"]}
    assert template["metadata"]["name"] in named, "the traffic names a revision that nobody makes"
    assert template["spec"]["containers"][0]["image"].endswith(":v1.1.0"), "the canary is the old version"


def test_a_canary_at_100_leaves_stable_warm_at_0(small: Path) -> None:
    recorded = released(small, {"tracks": {"canary": {"version": "v1.1.0"}}}, canaryPercent=100)
    assert traffic(recorded) == [(STABLE, 0, None), (CANARY, 100, None)], "a way back is gone, or requests go to stable"


def test_canary_percent_moves_the_canary_of_every_service(small: Path) -> None:
    tracks = {"tracks": {"canary": {"version": "v1.1.0"}}}
    recorded = record({"canaryPercent": 30, "services": {NOTIFICATIONS: tracks, "frontend": tracks}}, small)
    assert [percent for _, percent, _ in traffic(recorded, "frontend")] == [70, 30]
    assert [percent for _, percent, _ in traffic(recorded)] == [70, 30]


def test_a_promotion_has_the_new_version_alone(small: Path) -> None:
    recorded = released(small, {"stable": {"version": "v1.1.0"}})
    assert traffic(recorded) == [(f"{NOTIFICATIONS}-v1-1-0", 100, None)], "the old version still answers"
    assert not configurations(recorded), "the canary stays behind"


def test_the_first_of_two_steps_makes_stable_new_while_the_warm_canary_answers(small: Path) -> None:
    before = released(small, canary(100))
    first = released(small, canary(100, version="v1.1.0"))
    assert traffic(first) == [(f"{NOTIFICATIONS}-v1-1-0", 0, None), (CANARY, 100, None)], "a cold stable has to answer"
    assert configurations(first) == configurations(before), "the warm canary is replaced under its requests"
    second = released(small, {"stable": {"version": "v1.1.0"}})
    names = [knative_service(step, NOTIFICATIONS)["template"]["metadata"]["name"] for step in (first, second)]
    assert names[0] == names[1], "the second step starts stable anew"


def test_a_changed_percentage_changes_nothing_but_the_traffic(small: Path) -> None:
    ten, ninety = released(small, canary(10)), released(small, canary(90))
    assert configurations(ten) == configurations(ninety), "a percentage restarts the canary"
    services = [knative_service(step, NOTIFICATIONS) for step in (ten, ninety)]
    assert services[0]["template"] == services[1]["template"], "a percentage restarts stable"
    changed = [a.urn for a in ten.resources for b in ninety.resources if a.urn == b.urn and a.inputs != b.inputs]
    assert len(changed) == 1 and changed[0].endswith(f"::{NOTIFICATIONS}"), f"a percentage changes {changed}"


def test_a_dark_launch_is_reachable_by_its_tag_and_gets_no_share(small: Path) -> None:
    version110 = {"version": "v1.1.0", "tag": "version110", "percent": 0, "env": {"FEATURE_DEBUG_ENABLED": True}}
    settings = {"stable": {"tag": "current"}, "tracks": {"version110": version110}}
    recorded = released(small, settings, "frontend")
    assert traffic(recorded, "frontend") == [
        ("frontend-v1-0-0", 100, "current"),
        ("frontend-version110-v1-1-0", 0, "version110"),
    ], "the A/B test's tags or shares"
    env = {
        v["name"]: v.get("value")
        for v in configurations(recorded)["frontend-version110"]["spec"]["containers"][0]["env"]
    }
    assert env["FEATURE_DEBUG_ENABLED"] == "true", "the debug tab is off"
    assert env["KAFKA_GROUP_ID"] == "app-version110", "two frontends share a consumer group: one of them sees no events"
    track = recorded.outputs["services"]["frontend"]["tracks"]["version110"]
    assert track["url"] == "http://version110-frontend.default.127.0.0.1.sslip.io", "nobody is told where it is"


def test_three_tracks_have_three_configurations_and_stable_the_rest(small: Path) -> None:
    tracks = {name: {"version": "v1.1.0", "percent": percent} for name, percent in (("a", 10), ("b", 20), ("c", 30))}
    recorded = released(small, {"tracks": tracks})
    assert [(t, p) for t, p, _ in traffic(recorded)][1:] == [
        (f"{NOTIFICATIONS}-{name}-v1-1-0", percent) for name, percent in (("a", 10), ("b", 20), ("c", 30))
    ]
    assert traffic(recorded)[0] == (STABLE, 40, None), "stable gets another share than what is left"
    assert set(configurations(recorded)) == {f"{NOTIFICATIONS}-{name}" for name in "abc"}


def test_a_digest_is_asked_for_as_a_digest(small: Path) -> None:
    digest = "sha256:" + "0" * 64
    container = knative_service(released(small, {"stable": {"version": digest}}), NOTIFICATIONS)["template"]["spec"][
        "containers"
    ][0]
    assert container["image"].endswith(f"@{digest}"), "a digest would be pulled as a tag"


def test_redirected_images_reach_manifests_charts_services_and_the_node(small: Path) -> None:
    images = {
        "registry.example/": "dev.local/",
        "docker.io/salaboy/": "dev.local/salaboy/",
        "docker.io/example/gateway": "dev.local/gw:v2",
        "docker.io/bitnamilegacy/kafka": "dev.local/kafka:3.4.1",
        "docker.io/kindest/node": "dev.local/node:v1",
    }
    recorded = record({"sources": {"images": images}}, small)
    assert recorded.one("Command", "cluster-kind").inputs["environment"]["NODE_IMAGE"] == "dev.local/node:v1", (
        "the node's image"
    )
    for deployment in recorded.of_kind("Deployment"):
        container = deployment.inputs["spec"]["template"]["spec"]["containers"][0]
        assert container["image"].startswith("dev.local/"), f"{deployment.name} is still upstream's"
    assert config_map(recorded, "config-deployment")["queue-sidecar-image"].startswith("dev.local/"), (
        "every pod would fail"
    )
    image = {"registry": "dev.local", "repository": "kafka", "tag": "3.4.1"}
    assert image.items() <= recorded.one("Release", "kafka").inputs["values"]["image"].items(), "the chart's image"
    container = knative_service(recorded, "frontend")["template"]["spec"]["containers"][0]
    assert container["image"].startswith("dev.local/salaboy/frontend"), "the services' images"


def test_the_released_profile_leaves_the_requests_alone(small: Path) -> None:
    recorded = record({"knative": {"profile": "released"}}, small)
    for deployment in recorded.of_kind("Deployment"):
        requests = deployment.inputs["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
        assert requests == {"cpu": "100m", "memory": "100Mi"}, (
            f"{deployment.name} asks for other resources than its release"
        )


def test_the_small_profile_is_the_default(manifests: Path) -> None:
    recorded = record({}, manifests)
    for deployment in recorded.of_kind("Deployment"):
        for container in deployment.inputs["spec"]["template"]["spec"]["containers"]:
            requests = container["resources"]["requests"]
            assert requests == {"cpu": "10m", "memory": "32Mi"}, f"{deployment.name} does not fit on two cores"


def test_webhook_rules_are_left_to_knative(manifests: Path) -> None:
    found = record({}, manifests).of_kind("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    assert found, "nothing is recorded: this test proves nothing"
    rules = [r.name for r in found for webhook in r.inputs["webhooks"] if "rules" in webhook]
    assert not rules, f"a refresh finds {rules} changed by another field manager"


def test_the_limit_for_readiness_is_the_settings(small: Path) -> None:
    recorded = released(small, canary(50), readyWithin="45s")
    waiting = [r for r in recorded.resources if r.type.startswith("kubernetes:serving.knative.dev/v1:")]
    assert len(waiting) == 5, "four Services and the canary's Configuration"
    assert all(r.custom_timeouts == {"create": "45s", "update": "45s"} for r in waiting), "the setting has no effect"


def test_a_service_that_keeps_a_pod_may_be_set_to_keep_none(small: Path) -> None:
    recorded = released(small, {"stable": {"minScale": 0}}, "frontend")
    annotations = knative_service(recorded, "frontend")["template"]["metadata"]["annotations"]
    assert annotations == {"autoscaling.knative.dev/min-scale": "0"}, "0 was taken for unset"


def test_every_version_is_told_of_another_topic_than_the_services_own(small: Path) -> None:
    recorded = released(small, canary(50), kafka={"topic": "my-topic"})
    topics = recorded.one("Release", "kafka").inputs["values"]["provisioning"]["topics"]
    assert topics == [{"name": "my-topic", "partitions": 1}], "the topic is not made"
    services = ("frontend", "c4p-service", "agenda-service", NOTIFICATIONS)
    templates = [*configurations(recorded).values(), *(knative_service(recorded, s)["template"] for s in services)]
    assert len(templates) == 5, "a version is not looked at"
    for template in templates:
        assert {"name": "KAFKA_TOPIC", "value": "my-topic"} in template["spec"]["containers"][0]["env"], (
            "it asks for a topic that nobody made, and stops"
        )


def test_a_topic_that_is_given_to_one_version_stays_its_own(small: Path) -> None:
    recorded = released(small, {"stable": {"env": {"KAFKA_TOPIC": "mine"}}}, kafka={"topic": "my-topic"})
    env = knative_service(recorded, NOTIFICATIONS)["template"]["spec"]["containers"][0]["env"]
    assert [v["value"] for v in env if v["name"] == "KAFKA_TOPIC"] == ["mine"]


def test_the_services_own_topic_changes_no_revision(small: Path) -> None:
    named, unnamed = released(small, canary(50), kafka={"topic": "events-topic"}), released(small, canary(50))
    for recorded in (named, unnamed):
        env = knative_service(recorded, NOTIFICATIONS)["template"]["spec"]["containers"][0]["env"]
        assert "KAFKA_TOPIC" not in {variable["name"] for variable in env}, "every revision gets another name"
    assert traffic(named) == traffic(unnamed)

"""Transformations of release manifests: each does one thing, to the objects it is meant for, on a copy."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from components import manifests
from components.knative import serving as knative
from components.sources.images import ImageMap
from tests.unit import small_release
from tests.unit.small_release import Manifest, deployment, manifest

LOCAL = ImageMap({"registry.example/": "dev.local/", "docker.io/example/gateway": "dev.local/gateway:v2"})
TRANSFORMS = {
    "annotate": manifests.annotate({"a": "b"}),
    "merge_config_map": manifests.merge_config_map("knative-serving", "config-network", {"ingress-class": "kourier"}),
    "redirect_images": manifests.redirect_images(LOCAL.redirected),
    "small_requests": manifests.small_requests,
    "quick_start": manifests.quick_start,
    "without_webhook_rules": manifests.without_webhook_rules,
    "fresh_statistics": manifests.fresh_statistics,
    "without_documentation": manifests.without_documentation,
    "own": manifests.own,
}


def everything() -> list[Manifest]:
    """All objects of the small release."""
    return [*small_release.definitions(), *small_release.core(), *small_release.kourier()]


def changed(transform: str) -> dict[tuple[str, str, str], Manifest]:
    """The objects that a transformation changes, as they are then."""
    before = everything()
    after = manifests.transformed(before, TRANSFORMS[transform])
    return {manifests.key(a): a for b, a in zip(before, after, strict=True) if a != b}


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_what_is_given_is_not_changed_and_twice_is_once(transform: str) -> None:
    given = everything()
    kept = copy.deepcopy(given)
    once = manifests.transformed(given, TRANSFORMS[transform])
    assert given == kept, f"{transform} changes what it was given: the next reader of the manifest sees another one"
    assert manifests.transformed(once, TRANSFORMS[transform]) == once, f"{transform} applied twice is another result"


def test_a_config_map_is_merged_and_no_other_is_touched() -> None:
    ((key, found),) = changed("merge_config_map").items()
    assert key == ("ConfigMap", "knative-serving", "config-network"), "another object was patched"
    assert found["data"] == {"_example": "text", "ingress-class": "kourier"}, "an entry of the release was lost"


def test_a_config_map_without_data_is_merged_too() -> None:
    merge = manifests.merge_config_map("n", "c", {"a": "b"})
    assert manifests.transformed([manifest("ConfigMap", "c", "n")], merge)[0]["data"] == {"a": "b"}


def test_images_are_redirected_in_workloads_image_caches_and_the_queue_proxys_entry() -> None:
    found = changed("redirect_images")
    assert set(found) == {
        ("Deployment", "knative-serving", "controller"),
        ("Deployment", "knative-serving", "webhook"),
        ("Deployment", "knative-serving", "activator"),
        ("Deployment", "knative-serving", "net-kourier-controller"),
        ("Deployment", "kourier-system", "3scale-kourier-gateway"),
        ("Image", "knative-serving", "queue-proxy"),
        ("ConfigMap", "knative-serving", "config-deployment"),
    }, "an image is still pulled from upstream, or something that is no image was changed"
    queue = small_release.QUEUE_IMAGE.replace("registry.example/", "dev.local/")
    assert found["Image", "knative-serving", "queue-proxy"]["spec"]["image"] == queue
    assert found["ConfigMap", "knative-serving", "config-deployment"]["data"]["queue-sidecar-image"] == queue


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job"])
def test_every_container_of_every_workload_counts(kind: str) -> None:
    workload = {**deployment("w", "n", "registry.example/a:v1"), "kind": kind}
    workload["spec"]["template"]["spec"]["initContainers"] = [{"name": "init", "image": "registry.example/b:v1"}]
    found = manifests.transformed([workload], TRANSFORMS["redirect_images"])[0]
    images = [container["image"] for container in manifests.containers(found)]
    assert images == ["dev.local/b:v1", "dev.local/a:v1"], "an image is still pulled from upstream"


def test_small_requests_lower_requests_and_keep_limits() -> None:
    found = changed("small_requests")
    assert {kind for kind, _, _ in found} == {"Deployment"}, "something without containers was changed"
    for workload in found.values():
        resources = manifests.containers(workload)[0]["resources"]
        assert resources == {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "1"}}, (
            "pods stay unschedulable"
        )


def test_replicas_are_the_autoscalers_lower_bound_where_there_is_one() -> None:
    scaler = manifest("HorizontalPodAutoscaler", "d", "n", "autoscaling/v2", spec={"minReplicas": 1, "maxReplicas": 2})
    given = [deployment("d", "n", "image"), deployment("e", "n", "image"), scaler]
    scaled = manifests.with_replicas(given, "n", "d", 3)
    assert scaled[2]["spec"] == {"minReplicas": 3, "maxReplicas": 3}, "the autoscaler takes the pods away again"
    assert scaled[:2] == given[:2], "two owners of one number, or another Deployment is scaled"
    assert given[2]["spec"]["minReplicas"] == 1, "the given manifest was changed"


def test_replicas_are_the_deployments_own_where_nothing_scales_it() -> None:
    given = [deployment("d", "n", "image"), deployment("e", "n", "image")]
    first, other = manifests.with_replicas(given, "n", "d", 2)
    assert first["spec"]["replicas"] == 2 and other == given[1], "a pod is missing, or another Deployment is scaled"
    assert manifests.with_replicas(given, "n", "d", 1) == given, "one pod is not what was released"


def test_a_quick_start_asks_each_second_until_the_start_and_as_released_afterwards() -> None:
    found = {key[2]: manifests.containers(w)[0] for key, w in changed("quick_start").items()}
    assert set(found) == {"3scale-kourier-gateway"}, "a probe was made where the release has none"
    probes = found["3scale-kourier-gateway"]
    assert "initialDelaySeconds" not in probes["readinessProbe"], "every start waits 10 s"
    assert probes["readinessProbe"]["periodSeconds"] == 5, "a busy pod is taken out of the traffic sooner than released"
    assert probes["startupProbe"]["periodSeconds"] == 1, "every start waits for the next of the slow probes"
    assert probes["startupProbe"]["failureThreshold"] == manifests.START_SECONDS, "a slow start is ended"


def test_webhook_rules_are_dropped_and_nothing_else() -> None:
    found = changed("without_webhook_rules")
    kinds = {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"}
    assert {kind for kind, _, _ in found} == kinds, "a webhook keeps its rules, or another object lost something"
    for configuration in found.values():
        hook: dict[str, Any] = configuration["webhooks"][0]
        assert set(hook) == {"name", "clientConfig"}, "Knative writes the rules at run time: a refresh would conflict"


def test_every_object_gets_the_one_field_manager_and_services_are_not_waited_for() -> None:
    for owned in manifests.transformed(everything(), manifests.own):
        annotations = owned["metadata"]["annotations"]
        assert annotations["pulumi.com/patchFieldManager"] == "knative-releases", (
            "an interrupted `up` conflicts with itself"
        )
        waits = annotations.get("pulumi.com/skipAwait") != "true"
        assert waits == (owned["kind"] != "Service"), f"{owned['kind']} is waited for in the wrong place"


def test_a_knative_service_is_waited_for() -> None:
    owned = manifests.own(manifest("Service", "a", "default", "serving.knative.dev/v1"))
    assert "pulumi.com/skipAwait" not in owned["metadata"]["annotations"], "a broken version would pass for a good one"


def test_annotations_of_the_release_stay() -> None:
    given = manifest("Secret", "s", "n")
    given["metadata"]["annotations"] = {"own": "1"}
    assert manifests.annotate({"a": "b"})(given)["metadata"]["annotations"] == {"own": "1", "a": "b"}


def test_definitions_are_taken_once_and_every_other_object_has_its_group() -> None:
    definitions, core = small_release.definitions(), small_release.core()
    groups = knative.grouped(definitions, core)
    assert groups["definitions"] == definitions, "a definition is missing or has two owners"
    keys = [manifests.key(m) for group in groups.values() for m in group]
    assert len(keys) == len(set(keys)), "an object would be registered twice"
    assert set(keys) == {manifests.key(m) for m in core}, "an object of the release is left out"
    assert {m["kind"] for m in groups["workloads"]} == {"Deployment"}, "workloads hold what is needed before them"


def test_documentation_is_left_out_and_a_property_named_description_stays() -> None:
    properties = {
        "description": {"type": "string", "description": "text"},
        "items": {"items": [{"description": "text"}]},
    }
    schema = {"openAPIV3Schema": {"description": "text", "type": "object", "properties": properties}}
    given = manifest("CustomResourceDefinition", "d", spec={"versions": [{"name": "v1", "schema": schema}]})
    found = manifests.transformed([given], manifests.without_documentation)[0]["spec"]["versions"][0]["schema"]
    kept = {"description": {"type": "string"}, "items": {"items": [{}]}}
    assert found == {"openAPIV3Schema": {"type": "object", "properties": kept}}, "a field of the API is lost"


def test_an_example_goes_with_its_checksum_and_other_entries_stay() -> None:
    given = manifest("ConfigMap", "c", "n", data={"_example": "text", "key": "value"})
    given["metadata"]["annotations"] = {"knative.dev/example-checksum": "1", "other": "2"}
    found = manifests.transformed([given], manifests.without_documentation)[0]
    assert found["data"] == {"key": "value"}, "an entry of the release is lost"
    assert found["metadata"]["annotations"] == {"other": "2"}, "Knative's webhook refuses the checksum of no example"


def test_the_gateway_merges_its_latencies_each_second_and_keeps_the_rest() -> None:
    (after,) = changed("fresh_statistics").values()
    assert yaml.safe_load(after["data"]["envoy-bootstrap.yaml"]) == {"admin": {}, "stats_flush_interval": "1s"}

"""What the assembled manifests promise, as far as it can be told without the Go modules."""

from __future__ import annotations

from typing import Any

import pytest

from offline import knative, kourier


def deployment(image: str, **labels: str) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": "activator", "namespace": "knative-serving", "labels": labels},
        "spec": {"containers": [{"image": image}]},
    }


UPSTREAM = f"{knative.UPSTREAM_IMAGES}/activator"


def test_a_tag_in_the_place_of_a_digest_is_no_difference() -> None:
    assert knative.differences([deployment(f"{UPSTREAM}:v1.10.2")], [deployment(f"{UPSTREAM}@sha256:c2994c")]) == []


def test_another_image_a_label_and_missing_objects_are_differences() -> None:
    only_theirs = {"kind": "Secret", "metadata": {"name": "webhook-certs", "namespace": "knative-serving"}}
    only_ours = {"kind": "ClusterRole", "metadata": {"name": "net-kourier"}}
    found = knative.differences(
        [deployment(f"{UPSTREAM}:v1.10.2", version="1.10.2"), only_ours],
        [deployment(f"{knative.UPSTREAM_IMAGES}/queue@sha256:dabaec", version="devel"), only_theirs],
    )
    assert [line.split(":")[0] for line in found] == [
        "Secret knative-serving/webhook-certs",
        "ClusterRole /net-kourier",
        "Deployment knative-serving/activator.metadata.labels.version",
        "Deployment knative-serving/activator.spec.containers[0].image",
    ]


def bootstrap() -> dict[str, Any]:
    """The parts of net-kourier's bootstrap that need mending."""
    match = {
        "safe_regex": {"google_re2": {}, "regex": "/ready"},
        "headers": [{"name": ":method", "exact_match": "GET"}],
    }
    manager = {
        "http_filters": [{"name": "envoy.filters.http.router"}],
        "route_config": {"virtual_hosts": [{"routes": [{"match": match}]}]},
    }
    return {
        "static_resources": {
            "listeners": [{"filter_chains": [{"filters": [{"typed_config": manager}]}]}],
            "clusters": [{"name": "service_stats"}, {"name": "xds_cluster", "http2_protocol_options": {}}],
        },
        "admin": {"access_log_path": "/dev/stdout", "address": {"pipe": {"path": "/tmp/envoy.admin"}}},
    }


def test_the_bootstrap_keeps_nothing_that_envoy_has_dropped() -> None:
    mended = bootstrap()
    kourier.mend_bootstrap(mended)
    text = str(mended)
    for dropped in ("google_re2", "exact_match", "access_log_path"):
        assert dropped not in text, f"{dropped} is refused or warned of by today's Envoy"
    manager = mended["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    assert manager["http_filters"][0]["typed_config"]["@type"].endswith("http.router.v3.Router")
    assert manager["route_config"]["virtual_hosts"][0]["routes"][0]["match"]["headers"] == [
        {"name": ":method", "string_match": {"exact": "GET"}}
    ], "the statistics stay readable by GET alone"
    assert "http2_protocol_options" not in mended["static_resources"]["clusters"][1]
    assert "explicit_http_config" in text, "without HTTP/2 the gateway never reaches its control plane"


def test_another_bootstrap_than_the_known_one_is_refused() -> None:
    other = bootstrap()
    del other["admin"]["access_log_path"]
    with pytest.raises(KeyError):
        kourier.mend_bootstrap(other)

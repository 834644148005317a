"""URLs are what the cluster reports; where it reports none, what Knative makes by default."""

from __future__ import annotations

from typing import Any

import pytest

from components.release.known_revisions import newer
from components.release.urls import Urls

STATUS: dict[str, Any] = {
    "url": "https://a-default.example.com",
    "traffic": [
        {"revisionName": "a-1", "percent": 100},
        {"revisionName": "a-2", "tag": "green", "url": "https://a-default-green.example.com"},
    ],
}


@pytest.mark.parametrize(
    ("port", "tag", "url"),
    [
        (80, None, "http://a.default.d.test"),
        (80, "green", "http://green-a.default.d.test"),
        (8080, "green", "http://green-a.default.d.test:8080"),
    ],
)
def test_urls_are_those_that_knative_and_the_ingress_answer_to(port: int, tag: str | None, url: str) -> None:
    assert Urls("a", "default", "d.test", port).of(tag) == url, "the printed URL does not work"


def test_what_the_cluster_reports_comes_first() -> None:
    urls = Urls("a", "default", "d.test", 80, STATUS)
    assert urls.of() == "https://a-default.example.com", "another domain template or TLS is not heeded"
    assert urls.of("green") == "https://a-default-green.example.com", "another tag template is not heeded"
    assert urls.of("blue") == "http://blue-a.default.d.test", "a tag that the cluster does not have yet"


def test_the_ports_in_front_of_the_ingress_is_the_settings() -> None:
    status = {"url": "http://a.default.d.test"}
    assert Urls("a", "default", "d.test", 8080, status).of() == "http://a.default.d.test:8080"


def test_the_later_reading_counts_and_the_clusters_where_nothing_was_updated() -> None:
    before = {"metadata": {"generation": 2}, "status": {"url": "of the cluster"}}
    updated, unchanged = ({"metadata": {"generation": g}, "status": {"url": f"of {g}"}} for g in (3.0, 2.0))
    assert newer(before, updated) is updated, "a new tag has no URL"
    assert newer(before, unchanged) is before, "what somebody configured since the last update is not heeded"
    assert newer({}, updated) is updated, "the first update tells no URL"
    assert newer({}, {"metadata": None, "status": None}) == {}, "a first preview"


def test_a_cluster_local_service_has_the_url_of_the_inside_without_a_port() -> None:
    labelled = Urls("a", "shop", "d.test", 8080, labelled=True)
    assert labelled.of() == "http://a.shop.svc.cluster.local"
    assert labelled.of("green") == "http://green-a.shop.svc.cluster.local"
    inside = {"url": "http://a.shop.svc.other.domain"}
    reported = Urls("a", "shop", "d.test", 8080, {**inside, "address": inside}, labelled=True)
    assert reported.local and reported.of() == "http://a.shop.svc.other.domain", "another domain of the cluster"
    outside = Urls("a", "shop", "d.test", 8080, {"url": "http://a.shop.d.test", "address": inside})
    assert not outside.local and outside.of() == "http://a.shop.d.test:8080"

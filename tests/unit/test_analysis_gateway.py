"""The gateway as a source: whose requests it counts, and what it says when something began anew or does not answer."""

from __future__ import annotations

import pytest

from analysis import AnalysisError
from analysis.sources.gateway import Gateway
from status.counters.histogram import Bucket
from status.counters.queue_proxy import aside
from tests.unit.gateway_pods import Counts, Pods, metrics
from tests.unit.release_status import CANARY, STABLE, wanted

SERVICE = wanted().status.services[0]


def begun(pods: Pods) -> Gateway:
    """A source whose window has just begun."""
    source = Gateway(pods)
    source.begin(SERVICE)
    return source


def test_only_what_came_since_the_beginning_counts() -> None:
    pods = Pods({"gateway-1": {STABLE: Counts(1000, 100, {5: 1000}), CANARY: Counts()}})
    source = begun(pods)
    assert {name: s.requests for name, s in source.read().items()} == {"stable": 0, "canary": 0}
    pods.gateways["gateway-1"] = {STABLE: Counts(1050, 101, {5: 1040, 9: 10}), CANARY: Counts(7, 7)}
    samples = source.read()
    assert (samples["stable"].requests, samples["stable"].errors) == (50, 1)
    assert samples["stable"].latency.buckets == (Bucket(5, 6, 40), Bucket(9, 10, 10))
    assert (samples["canary"].requests, samples["canary"].errors, samples["canary"].origin) == (7, 7, "user")


def test_answers_of_4xx_are_counted_apart_and_those_by_a_tag_are_no_users() -> None:
    pods = Pods(proxies={f"{CANARY}-pod": {("next", "4xx"): 5}})
    pods.gateways["gateway-1"] = {STABLE: Counts(), CANARY: Counts(20, 1, client_errors=7)}
    source = begun(pods)
    pods.gateways["gateway-1"] = {STABLE: Counts(5), CANARY: Counts(120, 11, client_errors=67)}
    pods.proxies[f"{CANARY}-pod"] = {("DEFAULT", "4xx"): 50, ("next", "4xx"): 15}
    samples = source.read()
    assert (samples["stable"].client_errors, samples["stable"].requests) == (0, 5)
    canary = samples["canary"]
    assert (canary.requests, canary.errors, canary.client_errors) == (90, 10, 50)


def test_several_gateways_add_up_and_a_new_one_counts_from_its_beginning() -> None:
    pods = Pods({"a": {STABLE: Counts(10), CANARY: Counts()}, "b": {STABLE: Counts(20), CANARY: Counts()}})
    source = begun(pods)
    pods.gateways = {"b": {STABLE: Counts(25)}, "c": {STABLE: Counts(3)}}
    assert source.read()["stable"].requests == 8
    assert not source.read()["stable"].notes


def test_a_gateway_that_began_anew_counts_from_its_beginning_and_it_is_told() -> None:
    pods = Pods({"gateway-1": {STABLE: Counts(1000), CANARY: Counts()}})
    source = begun(pods)
    pods.gateways["gateway-1"] = {STABLE: Counts(30), CANARY: Counts()}
    sample = source.read()["stable"]
    assert sample.requests == 30 and "the gateway gateway-1 began anew" in sample.notes[0]


def test_a_request_that_its_client_gave_up_is_an_error() -> None:
    pods = Pods({"gateway-1": {STABLE: Counts(), CANARY: Counts(100, hung=50, open=3)}})
    source = begun(pods)
    pods.gateways["gateway-1"] = {STABLE: Counts(500), CANARY: Counts(110, hung=80, unconnected=5, open=7)}
    samples = source.read()
    canary = samples["canary"]
    assert (canary.requests, canary.errors) == (42, 32), "a candidate that hangs is never failed"
    assert canary.notes == ("32 requests ended without any answer, given up by their clients: errors",)
    assert (samples["stable"].requests, samples["stable"].errors, samples["stable"].notes) == (500, 0, ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Counts(), Counts(10, open=40)),
        (Counts(100, streams=40), Counts(110)),
        (Counts(), Counts(10, streams=5)),
        (Counts(100, streams=5), Counts(110, open=5)),
        (Counts(), Counts(10, errors=10, refused=10)),
    ],
    ids=[
        "still waiting",
        "streams that ended",
        "streams that go on",
        "waiting where streams have ended",
        "refused by the gateway",
    ],
)
def test_no_other_request_counts_as_given_up(before: Counts, after: Counts) -> None:
    pods = Pods({"gateway-1": {STABLE: Counts(), CANARY: before}})
    source = begun(pods)
    pods.gateways["gateway-1"] = {STABLE: Counts(), CANARY: after}
    sample = source.read()["canary"]
    assert (sample.requests, sample.errors) == (10, after.errors), "a good candidate is failed"


def test_a_request_by_a_tag_that_hangs_is_no_users() -> None:
    pods = Pods(proxies={f"{CANARY}-pod": {}})
    source = begun(pods)
    pods.gateways["gateway-1"] = {STABLE: Counts(), CANARY: Counts(10, hung=4)}
    pods.proxies[f"{CANARY}-pod"] = {("DEFAULT", "2xx"): 10, ("next", "5xx"): 4}  # 502: whom it answered is gone
    sample = source.read()["canary"]
    assert (sample.requests, sample.errors) == (10, 0)


def test_requests_by_a_tag_and_of_this_tool_are_not_users() -> None:
    pods = Pods(proxies={f"{CANARY}-pod": {("DEFAULT", "2xx"): 5, ("next", "2xx"): 100}, "stranger": {}})
    source = begun(pods)
    pods.gateways["gateway-1"] = {STABLE: Counts(), CANARY: Counts(60, 6, {5: 20, 35: 40})}
    pods.proxies[f"{CANARY}-pod"] = {
        ("DEFAULT", "2xx"): 23, ("DEFAULT", "5xx"): 2,
        ("next", "2xx"): 120, ("next", "5xx"): 4, ("UNDEFINED", "2xx"): 16,
    }  # fmt: skip
    sample = source.read()["canary"]
    assert (sample.requests, sample.errors) == (20, 2)
    assert sample.latency.buckets == (Bucket(5, 6, 20),), "what took 20 to 40 ms was not users'"
    assert sample.notes == ("40 requests by a tag or of this tool are left out",)


def test_a_pod_that_ended_is_still_taken_off() -> None:
    pods = Pods(proxies={f"{CANARY}-a": {}})
    source = begun(pods)
    pods.proxies[f"{CANARY}-a"] = {("next", "2xx"): 10}
    pods.gateways["gateway-1"] = {STABLE: Counts(), CANARY: Counts(10)}
    source.read()
    pods.proxies = {f"{CANARY}-b": {("next", "2xx"): 5}}
    pods.gateways["gateway-1"] = {STABLE: Counts(), CANARY: Counts(16)}
    assert source.read()["canary"].requests == 1


def test_a_pod_that_does_not_say_who_asked_is_told() -> None:
    pods = Pods(proxies={f"{CANARY}-a": None})
    source = begun(pods)
    assert "did not say which requests came by a tag" in source.read()["canary"].notes[0]
    assert not source.read()["stable"].notes


def test_an_older_gateway_is_asked_for_wide_buckets_and_it_is_told() -> None:
    pods = Pods(knows_details=False)
    source = begun(pods)
    pods.gateways["gateway-1"] = {STABLE: Counts(3, 0, {300: 2, 30: 1}), CANARY: Counts()}
    sample = source.read()["stable"]
    assert sample.latency.buckets == (Bucket(25, 50, 1), Bucket(250, 500, 2))
    assert sample.notes == ("this Envoy tells latencies in wide buckets only",)
    assert {25.0, 50.0, 250.0, 500.0} <= set(source.bounds()) and not begun(Pods()).bounds()
    assert sum("detailed" in path for path in pods.asked) == 1, "it is asked once"


@pytest.mark.parametrize("gateways", [{}, {"gateway-1": None}])
def test_no_gateway_is_a_clear_error(gateways: dict[str, dict[str, Counts] | None]) -> None:
    with pytest.raises(AnalysisError, match=r"No pod of the gateway .* answers at its port 9000.*pulumi refresh"):
        begun(Pods(gateways))


def test_a_cluster_with_another_ingress_is_told_the_sources_that_work_there() -> None:
    with pytest.raises(AnalysisError, match=r"With another ingress .*--source prometheus:<URL>, or probes"):
        begun(Pods({}))


def test_a_gateway_that_goes_away_is_a_clear_error() -> None:
    pods = Pods()
    source = begun(pods)
    pods.gateways["gateway-1"] = None
    with pytest.raises(AnalysisError, match="asked: gateway-1"):
        source.read()


def test_a_revision_with_a_share_that_the_gateway_does_not_know_is_a_clear_error() -> None:
    with pytest.raises(AnalysisError, match=rf"no statistics of {CANARY}, .*make status"):
        begun(Pods({"gateway-1": {STABLE: Counts()}}))


def test_reading_before_a_window_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="read before begin"):
        Gateway(Pods()).read()


def test_users_requests_are_not_aside() -> None:
    assert aside(metrics({("DEFAULT", "2xx"): 10, ("DISABLED", "5xx"): 3})).requests == 0
    told = aside(metrics({("next", "2xx"): 10, ("UNDEFINED", "5xx"): 3}))
    assert (told.requests, told.errors, told.latency.buckets) == (13, 3, (Bucket(20, 40, 13),))


LATER = """
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{http_response_status_code="200",kn_route_tag="kn:default",le="+Inf"} 47
http_server_request_duration_seconds_count{http_response_status_code="200",kn_route_tag="kn:default"} 47
http_server_request_duration_seconds_bucket{http_response_status_code="200",kn_route_tag="next",le="0.005"} 20
http_server_request_duration_seconds_bucket{http_response_status_code="200",kn_route_tag="next",le="0.5"} 29
http_server_request_duration_seconds_bucket{http_response_status_code="200",kn_route_tag="next",le="+Inf"} 29
http_server_request_duration_seconds_count{http_response_status_code="200",kn_route_tag="next"} 29
http_server_request_duration_seconds_count{http_response_status_code="500",kn_route_tag="kn:undefined"} 1
http_server_request_duration_seconds_count{http_response_status_code="500",kn_route_tag="kn:disabled"} 3
"""
"""What Knative 1.23.0 was seen to answer, less some labels."""


def test_later_releases_of_knative_say_the_same_in_other_words() -> None:
    told = aside(LATER)
    assert (told.requests, told.errors) == (30, 1)
    assert told.latency.buckets == (Bucket(0, 5, 20), Bucket(5, 500, 9))


def test_a_gateway_without_an_address_is_not_taken_for_an_older_one() -> None:
    pods = Pods()
    pods.refused["gateway-2"] = (400, '{"kind":"Status","message":"address not allowed","code":400}')
    pods.gateways["gateway-2"] = None
    source = begun(pods)
    pods.gateways["gateway-1"] = {STABLE: Counts(3, 0, {300: 3}), CANARY: Counts()}
    sample = source.read()["stable"]
    assert sample.latency.buckets == (Bucket(300, 301, 3),), "the others still tell fine buckets"
    assert "the gateway gateway-2 began anew or did not answer" in sample.notes[0]


@pytest.mark.parametrize("text", ['{"stats": [{"name"', "[]", '{"stats": [{"name": "x", "value": "many"}]}'])
def test_an_answer_that_is_cut_short_or_something_else_is_a_clear_error(text: str) -> None:
    pods = Pods()
    source = begun(pods)
    pods.refused["gateway-1"] = (200, text)
    with pytest.raises(AnalysisError, match="statistics of the pod gateway-1 cannot be read"):
        source.read()

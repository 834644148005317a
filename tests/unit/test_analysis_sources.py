"""Prometheus as a source, against a local server that speaks its protocol; and the sources by their names."""

from __future__ import annotations

import dataclasses
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from analysis import AnalysisError
from analysis.sources import SOURCES, Reach, source
from analysis.sources.probes import Probes
from analysis.sources.prometheus import Prometheus, Queries
from status.counters.histogram import Bucket
from tests.e2e.environment import free_port
from tests.unit.http_server import serving
from tests.unit.release_status import STABLE, wanted

REACH = Reach(kubeconfig="the kubeconfig", cluster="dev", path="/info")
SERVICE = wanted().status.services[0]
"""Notifications at 50/50."""


def series(value: object, **labels: str) -> dict[str, object]:
    """One element of a Prometheus vector."""
    return {"metric": labels, "value": [1700000000.0, str(value)]}


class Counters:
    """A Prometheus with the counters of stable's pods; the canary has none."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str], float] = {("pod-a", "2xx"): 1000, ("pod-a", "5xx"): 9}
        """By pod and class of the status."""
        self.times: dict[str, float] = {"5": 800, "100": 1000, "+Inf": 1009}

    def __call__(self, query: str) -> tuple[int, str]:
        """What it answers."""
        result: list[dict[str, object]] = []
        if f'revision_name="{STABLE}"' in query and 'route_tag=~"DEFAULT|DISABLED"' in query:
            if query.startswith("revision_request_latencies_bucket{"):
                result = [series(value, le=le) for le, value in self.times.items()]
            else:
                assert query.startswith("revision_request_count{"), "counters as they are, nothing extrapolated"
                kinds = [kind for kind in ("4xx", "5xx") if f'response_code_class="{kind}"' in query]
                result = [
                    series(value, pod_name=pod, response_code_class=kind)
                    for (pod, kind), value in self.requests.items()
                    if not kinds or kind in kinds
                ]
        return vector(*result)


def vector(*result: dict[str, object]) -> tuple[int, str]:
    """The answer to an instant query."""
    return 200, json.dumps({"status": "success", "data": {"resultType": "vector", "result": list(result)}})


def queried(path: str) -> str:
    """The query of a request to Prometheus' API."""
    split = urlsplit(path)
    assert split.path == "/api/v1/query"
    return parse_qs(split.query)["query"][0]


def test_counters_become_samples_of_what_came_in_since_the_beginning() -> None:
    counters = Counters()
    with serving(lambda path, _: counters(queried(path))) as port:
        found = source(f"prometheus:http://127.0.0.1:{port}/", REACH)
        found.begin(SERVICE)
        assert found.read()["stable"].requests == 0, "what was there before is nobody's in this window"
        counters.requests |= {("pod-a", "2xx"): 1110, ("pod-a", "5xx"): 10, ("pod-a", "4xx"): 7}
        counters.times = {"5": 900, "100": 1118, "+Inf": 1129}
        samples = found.read()
        found.close()
    assert found.name == f"prometheus:http://127.0.0.1:{port}"
    stable = samples["stable"]
    assert (stable.requests, stable.errors, stable.client_errors) == (118, 1, 7), "a new series began at 0"
    assert stable.latency.buckets == (Bucket(0, 5, 100), Bucket(5, 100, 18), Bucket(100, 100, 2))
    assert (samples["canary"].requests, samples["canary"].latency.count) == (0, 0)


def test_a_new_pod_one_that_began_anew_and_one_that_is_gone_count_what_they_had() -> None:
    counters = Counters()
    with serving(lambda path, _: counters(queried(path))) as port:
        found = Prometheus(f"http://127.0.0.1:{port}")
        found.begin(SERVICE)
        counters.requests = {("pod-a", "2xx"): 1040, ("pod-b", "5xx"): 30}
        assert (found.read()["stable"].requests, found.read()["stable"].errors) == (70, 30)
        counters.requests = {("pod-b", "5xx"): 5}
        after = found.read()["stable"]
        counters.requests = {("pod-a", "2xx"): 1041, ("pod-b", "5xx"): 5}
        assert (after.requests, after.errors, found.read()["stable"].requests) == (75, 35, 76)


def test_the_token_of_the_environment_is_sent_and_follows_no_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []

    def answer(_: str, headers: dict[str, str]) -> tuple[int, str]:
        seen.append(headers.get("Authorization"))
        return vector()

    monkeypatch.setenv("PROMETHEUS_AUTHORIZATION", "Bearer a-token")
    with serving(answer) as port:
        Prometheus(f"http://127.0.0.1:{port}").begin(SERVICE)
    assert set(seen) == {"Bearer a-token"}
    with serving(lambda *_: (302, "")) as port, pytest.raises(AnalysisError, match=r"refuses \(302"):
        Prometheus(f"http://127.0.0.1:{port}").begin(SERVICE)
    with serving(lambda *_: (401, "")) as port, pytest.raises(AnalysisError, match="PROMETHEUS_AUTHORIZATION") as told:
        Prometheus(f"http://127.0.0.1:{port}").begin(SERVICE)
    assert "a-token" not in str(told.value)
    with pytest.raises(AnalysisError, match="PROMETHEUS_AUTHORIZATION") as told:
        Prometheus("http://me:hidden@127.0.0.1:1")
    assert "hidden" not in str(told.value)


def test_the_queries_are_templates() -> None:
    asked: list[str] = []

    def answer(path: str, _: dict[str, str]) -> tuple[int, str]:
        asked.append(queried(path))
        return vector(series(1))

    mine = Queries(requests="hits{{r='{namespace}/{revision}'}}", errors="vector(1)", latency="vector(1)")
    with serving(answer) as port:
        found = Prometheus(f"http://127.0.0.1:{port}", mine)
        found.begin(SERVICE)
        with pytest.raises(AnalysisError, match=r"no label `le`: vector\(1\)"):
            found.read()
    assert asked[0] == f"hits{{r='default/{STABLE}'}}"


@pytest.mark.parametrize("template", ["sum(x{{a='{rev}'}})", "sum(x{revision='y'})", "sum(x{"])
def test_a_query_that_is_no_template_is_a_clear_error(template: str) -> None:
    with serving(lambda *_: vector()) as port:
        found = Prometheus(f"http://127.0.0.1:{port}", Queries(requests=template))
        with pytest.raises(AnalysisError, match=r"is no template .* are filled in, other braces are doubled"):
            found.begin(SERVICE)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((400, '{"status":"error","error":"parse error at char 3"}'), "refuses (400: parse error at char 3)"),
        ((200, '{"data":{"resultType":"matrix","result":[]}}'), "answers with 'matrix', not with a vector"),
        ((200, "<html>"), "No Prometheus answers at"),
    ],
)
def test_what_is_no_answer_of_prometheus_is_a_clear_error(answer: tuple[int, str], told: str) -> None:
    with serving(lambda *_: answer) as port, pytest.raises(AnalysisError, match=re.escape(told)):
        Prometheus(f"http://127.0.0.1:{port}").begin(SERVICE)


def test_a_prometheus_that_is_not_there_is_a_clear_error() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(AnalysisError, match=rf"No Prometheus answers at {url} .*curl {url}/-/ready"):
        Prometheus(url).begin(SERVICE)


def test_a_source_is_named_or_ones_own() -> None:
    assert set(SOURCES) == {"gateway", "probes", "prometheus"}
    assert source("probes", REACH).name == "probes"
    assert source(f"{__name__}:_own", REACH).name == "probes"


def _own(_: str, reach: Reach) -> Probes:
    return Probes(reach.path or "/")


@pytest.mark.parametrize("given", ["", "gatewya", "gateway2:x", "no.such.module:x", "json:no_such_name", ":", "a..b:c"])
def test_an_unknown_source_is_refused_with_what_is_wanted(given: str) -> None:
    with pytest.raises(AnalysisError, match=re.escape("Wanted: gateway, probes, prometheus:<URL>")) as refused:
        source(given, REACH)
    assert repr(given) in str(refused.value)


@pytest.mark.parametrize("url", ["", "127.0.0.1:9090", "file:///etc/passwd"])
def test_a_prometheus_needs_a_url(url: str) -> None:
    with pytest.raises(AnalysisError, match="the URL of a Prometheus wanted"):
        source(f"prometheus:{url}", REACH)


def test_the_kubeconfig_is_not_shown() -> None:
    assert "the kubeconfig" not in repr(REACH)


def test_probes_do_without_a_path_before_the_candidate_has_a_share() -> None:
    assert source("probes", dataclasses.replace(REACH, path=None, preview=True)).name == "probes"
    with pytest.raises(AnalysisError, match=r"knative-releases/info-path.*gateway"):
        source("probes", dataclasses.replace(REACH, path=None))
    with pytest.raises(AnalysisError, match=r"cluster-local.*rollout promote"):
        source("probes", dataclasses.replace(REACH, preview=True, cluster_local=True))


def test_a_kubeconfig_that_is_none_is_an_error_of_the_analysis() -> None:
    with pytest.raises(AnalysisError, match="kubeconfig of the cluster dev cannot be used"):
        source("gateway", dataclasses.replace(REACH, kubeconfig="{"))

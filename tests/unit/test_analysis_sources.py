"""Prometheus as a source, against a local server that speaks its protocol; and the sources by their names."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from analysis import AnalysisError
from analysis.histogram import Bucket
from analysis.sources import SOURCES, Reach, source
from analysis.sources.probes import Probes
from analysis.sources.prometheus import Prometheus, Queries
from tests.e2e.environment import free_port
from tests.unit.http_server import serving
from tests.unit.release_status import STABLE, wanted

REACH = Reach(kubeconfig="the kubeconfig", cluster="dev", path="/info")
SERVICE = wanted().status.services[0]
"""Notifications at 50/50."""


def series(value: object, **labels: str) -> dict[str, object]:
    """One element of a Prometheus vector."""
    return {"metric": labels, "value": [1700000000.0, str(value)]}


def prometheus(query: str) -> tuple[int, str]:
    """What a Prometheus answers to a query: stable has 120 requests and one error, the canary none."""
    result: list[dict[str, object]]
    if query == "vector(1)":
        result = [series(1)]
    elif f'revision_name="{STABLE}"' not in query or 'route_tag=~"DEFAULT|DISABLED"' not in query:
        result = []
    elif query.startswith("sum by (le)"):
        result = [series(v, le=le) for le, v in (("+Inf", 120.2), ("5", 99.8), ("100", 118.4))]
    else:
        result = [series(1.01 if '"5xx"' in query else 6.8 if '"4xx"' in query else 120.3)]
    return 200, json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}})


def queried(path: str) -> str:
    """The query of a request to Prometheus' API."""
    split = urlsplit(path)
    assert split.path == "/api/v1/query"
    return parse_qs(split.query)["query"][0]


def test_prometheus_answers_become_samples() -> None:
    with serving(lambda path, _: prometheus(queried(path))) as port:
        found = source(f"prometheus:http://127.0.0.1:{port}/", REACH)
        found.begin(SERVICE)
        samples = found.read()
        found.close()
    assert found.name == f"prometheus:http://127.0.0.1:{port}"
    stable = samples["stable"]
    assert (stable.requests, stable.errors, stable.client_errors) == (120, 1, 7)
    assert samples["stable"].latency.buckets == (Bucket(0, 5, 100), Bucket(5, 100, 18), Bucket(100, 100, 2))
    assert (samples["canary"].requests, samples["canary"].latency.count) == (0, 0)


def test_the_queries_are_templates() -> None:
    asked: list[str] = []

    def answer(path: str, _: dict[str, str]) -> tuple[int, str]:
        asked.append(queried(path))
        return prometheus("vector(1)")

    mine = Queries(requests="hits{{r='{namespace}/{revision}'}}[{seconds}s]", errors="vector(1)", latency="vector(1)")
    with serving(answer) as port:
        found = Prometheus(f"http://127.0.0.1:{port}", mine)
        found.begin(SERVICE)
        with pytest.raises(AnalysisError, match=r"no label `le` .*: vector\(1\)"):
            found.read()
    assert asked[1] == f"hits{{r='default/{STABLE}'}}[1s]"


@pytest.mark.parametrize("template", ["sum(x{{a='{rev}'}})", "sum(x{revision='y'})", "sum(x{"])
def test_a_query_that_is_no_template_is_a_clear_error(template: str) -> None:
    with serving(lambda path, _: prometheus(queried(path))) as port:
        found = Prometheus(f"http://127.0.0.1:{port}", Queries(requests=template))
        found.begin(SERVICE)
        with pytest.raises(AnalysisError, match=r"is no template .* are filled in, other braces are doubled"):
            found.read()


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
    return Probes(reach.path)


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

"""Pods asked through the API's proxy, against a stand-in for the API server."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from status import StatusError
from status.counters import envoy
from status.counters.pods import REVISION_LABEL, ClusterPods
from tests.e2e.environment import free_port
from tests.unit.http_server import serving
from tests.unit.release_status import STABLE
from tests.unit.test_status_refusals import kubeconfig

asked: list[str] = []


def api(path: str, _: dict[str, str]) -> tuple[int, str]:
    """The stand-in: one pod, a gateway that answers, one that does not, and one that nobody may ask."""
    asked.append(path)
    if path.startswith("/api/v1/namespaces/default/pods?"):
        metadata = {"name": "p", "labels": {REVISION_LABEL: STABLE}}
        return 200, json.dumps(
            {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [{"metadata": metadata}]}
        )
    if "/pods/gateway:9000/proxy/stats" in path:
        return 200, '{"stats": []}'
    return (403, "no") if "/pods/forbidden:" in path else (503, "no endpoints available")


def test_pods_are_listed_with_their_revisions() -> None:
    with serving(api) as port:
        pods = ClusterPods(kubeconfig(f"http://127.0.0.1:{port}"), "dev")
        assert pods.names("default", "a=b") == {"p": STABLE}
    assert parse_qs(urlsplit(asked[-1]).query) == {"labelSelector": ["a=b"], "fieldSelector": ["status.phase=Running"]}


def test_a_pod_gets_the_query_as_it_is() -> None:
    query = envoy.query("default", [STABLE], envoy.DETAILED)
    with serving(api) as port:
        found = ClusterPods(kubeconfig(f"http://127.0.0.1:{port}"), "dev").get("ns", "gateway", 9000, f"stats?{query}")
    assert found == (200, '{"stats": []}')
    assert asked[-1] == f"/api/v1/namespaces/ns/pods/gateway:9000/proxy/stats?{query}"


def test_a_pod_that_does_not_answer_is_no_error_of_the_cluster() -> None:
    with serving(api) as port:
        status, _ = ClusterPods(kubeconfig(f"http://127.0.0.1:{port}"), "dev").get("ns", "gone", 9000, "stats")
    assert status == 503


def test_a_cluster_that_refuses_or_does_not_answer_is_told_with_the_way_out() -> None:
    with (
        serving(api) as port,
        pytest.raises(StatusError, match=r"dev answers, but refuses \(403 .*auth can-i"),
    ):
        ClusterPods(kubeconfig(f"http://127.0.0.1:{port}"), "dev").get("ns", "forbidden", 9000, "stats")
    gone = ClusterPods(kubeconfig(f"http://127.0.0.1:{free_port()}"), "dev")
    with pytest.raises(StatusError, match="dev does not answer"):
        gone.names("default", "a=b")
    with pytest.raises(StatusError, match="dev does not answer"):
        gone.get("ns", "gateway", 9000, "stats")


@pytest.mark.parametrize(
    "text", ["{", "", "{}", '{"current-context": "x", "contexts": [], "clusters": [], "users": []}']
)
def test_a_kubeconfig_that_is_none_is_a_clear_error(text: str) -> None:
    with pytest.raises(StatusError, match="kubeconfig of the cluster dev cannot be used"):
        ClusterPods(text, "dev")

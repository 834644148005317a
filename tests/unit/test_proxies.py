"""Behind an HTTP proxy: what is asked through it, and what never is."""

from __future__ import annotations

import json
from typing import Any

import pytest
import urllib3

from analysis.checks import check
from analysis.sources.prometheus import Prometheus
from components.cluster.asked import AskedCluster, UnreachableError
from components.cluster.client import cluster_client
from components.proxies import proxy_of
from components.release.diagnosis import why_not_ready
from components.sources.download import fetch
from status import StatusError
from status.cluster import read
from status.model import Service
from tests.forward_proxy import forward_proxy
from tests.unit.http_server import serving

PROXY = "http://proxy.example:3128"
UID = '{"metadata": {"uid": "the-uid"}}'


def set_proxy(monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str = "") -> None:
    for name, value in (("HTTP_PROXY", url), ("https_proxy", url), ("NO_PROXY", no_proxy)):
        monkeypatch.setenv(name, value)
    cluster_client.cache_clear()


def kubeconfig(server: str, **cluster: Any) -> dict[str, Any]:
    """A kubeconfig of a cluster at this URL."""
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_cluster_on_this_machine_is_never_asked_through_the_proxy(monkeypatch: Any, host: str) -> None:
    with forward_proxy() as proxy, serving(lambda *_: (200, UID)) as port:
        set_proxy(monkeypatch, proxy.url)
        assert AskedCluster(kubeconfig(f"http://{host}:{port}")).identity() == "the-uid"
    assert proxy.asked == [], "the cluster's API was asked through the proxy"


@pytest.mark.parametrize(
    ("server", "no_proxy", "proxied"),
    [
        ("https://api.staging.example:6443", "", True),
        ("https://api.staging.example:6443", "other.example", True),
        ("https://api.staging.example:6443", "staging.example", False),
        ("https://api.staging.example:6443", "localhost, .staging.example", False),
        ("https://api.staging.example:6443", "*", False),
        ("https://10.1.2.3:6443", "10.1.2.3", False),
        ("https://10.1.2.3:6443", "192.168.0.0/16,10.0.0.0/8", False),
        ("https://10.1.2.3:6443", "10.2.0.0/16", True),
        ("https://[fd00::1]:6443", "fd00::/8", False),
        ("https://127.0.0.1:6443", "", False),
        ("https://[::1]:6443", "", False),
    ],
)
def test_no_proxy_holds_for_the_clusters_api(monkeypatch: Any, server: str, no_proxy: str, proxied: bool) -> None:
    set_proxy(monkeypatch, PROXY, no_proxy)
    manager = cluster_client(json.dumps(kubeconfig(server))).rest_client.pool_manager
    assert isinstance(manager, urllib3.ProxyManager) == proxied


def test_a_cluster_behind_the_proxy_is_asked_through_it_with_the_proxys_login(monkeypatch: Any) -> None:
    with serving(lambda *_: (200, UID)) as port, forward_proxy({"api.example": port}, login="me:p@ss") as proxy:
        set_proxy(monkeypatch, f"http://me:p%40ss@{proxy.address}")
        assert AskedCluster(kubeconfig("http://api.example:80")).identity() == "the-uid"
    assert proxy.asked == ["api.example:80"]


def test_the_kubeconfigs_own_proxy_goes_before_the_environments(monkeypatch: Any) -> None:
    with serving(lambda *_: (200, UID)) as port, forward_proxy({"api.example": port}) as proxy:
        set_proxy(monkeypatch, PROXY, "*")
        asked = AskedCluster(kubeconfig("http://api.example:80", **{"proxy-url": proxy.url}))
        assert asked.identity() == "the-uid", "kubectl would ask through proxy-url"
    assert proxy.asked == ["api.example:80"]


def test_a_proxy_that_is_no_http_proxy_is_told_without_its_password(monkeypatch: Any) -> None:
    set_proxy(monkeypatch, "socks5://me:secret@proxy.example:1080")
    with pytest.raises(UnreachableError, match=r"socks5.* http://host:port is wanted") as refused:
        AskedCluster(kubeconfig("https://api.example:6443"))
    assert "secret" not in str(refused.value)


def test_a_proxy_may_be_given_without_a_scheme(monkeypatch: Any) -> None:
    set_proxy(monkeypatch, "proxy.example:3128")
    assert proxy_of("https://api.example") == PROXY


@pytest.mark.parametrize("host", ["127.0.0.1", "frontend.default.127.0.0.1.sslip.io"])
def test_checks_ask_this_machine_directly(monkeypatch: Any, host: str) -> None:
    with forward_proxy() as proxy, serving(lambda *_: (200, "")) as port:
        set_proxy(monkeypatch, proxy.url)
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", port))])
        assert check(f"http://{host}:{port}/").run({}).outcome == "passed"
    assert proxy.asked == []


def test_a_prometheus_on_this_machine_is_asked_directly(monkeypatch: Any) -> None:
    answer = json.dumps({"data": {"resultType": "vector", "result": []}})
    with forward_proxy() as proxy, serving(lambda *_: (200, answer)) as port:
        set_proxy(monkeypatch, proxy.url)
        Prometheus(f"http://127.0.0.1:{port}").begin(Service(name="s", url="http://s.default.example"))
    assert proxy.asked == []


def test_what_is_elsewhere_is_asked_through_the_proxy(monkeypatch: Any) -> None:
    with serving(lambda *_: (200, "")) as port, forward_proxy({"checks.example": port}) as proxy:
        set_proxy(monkeypatch, proxy.url)
        assert check("http://checks.example/ready").run({}).outcome == "passed"
    assert proxy.asked == ["checks.example:80"]


def test_status_and_the_diagnosis_tell_of_a_proxy_of_no_use(monkeypatch: Any) -> None:
    set_proxy(monkeypatch, "socks5://proxy.example:1080")
    text = json.dumps(kubeconfig("https://api.example:6443"))
    with pytest.raises(StatusError, match=r"the cluster dev cannot be used: .*socks5"):
        read(text, "default", "dev")
    manifest = {"kind": "Service", "metadata": {"namespace": "default", "name": "s"}}
    assert "socks5" in why_not_ready(text, manifest)[1]


def test_a_mirror_on_this_machine_is_asked_directly(monkeypatch: Any) -> None:
    with forward_proxy() as proxy, serving(lambda *_: (200, "content")) as port:
        set_proxy(monkeypatch, proxy.url)
        assert fetch(f"http://127.0.0.1:{port}/file") == b"content"
    assert proxy.asked == []

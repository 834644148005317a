"""The client of a cluster's API: what of its kubeconfig it heeds."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import kubernetes
import pytest

from components.cluster.asked import AskedCluster, UnreachableError
from components.cluster.client import cluster_client
from components.knative.api import by_name
from tests.unit.http_server import serving


def kubeconfig(port: int, **cluster: Any) -> dict[str, Any]:
    """A kubeconfig for a server at this port that should speak TLS."""
    return {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"https://127.0.0.1:{port}", **cluster}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }


@pytest.mark.parametrize(("skip", "mode"), [(True, ssl.CERT_NONE), (False, ssl.CERT_REQUIRED)])
def test_a_server_is_verified_unless_its_kubeconfig_says_otherwise(skip: bool, mode: ssl.VerifyMode) -> None:
    client = cluster_client(json.dumps(kubeconfig(1, **{"insecure-skip-tls-verify": skip})))
    context = client.rest_client.pool_manager.connection_pool_kw["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (mode, not skip)


def test_a_server_that_is_not_to_be_verified_is_asked() -> None:
    with serving(lambda *_: (200, "{}")) as port, pytest.raises(UnreachableError, match="does not answer"):
        # It speaks no TLS, so it is no cluster; but the question goes out.
        AskedCluster(kubeconfig(port, **{"insecure-skip-tls-verify": True})).identity()


def answered(statuses: Sequence[int], after: str | None = "1") -> tuple[int, Any]:
    """How many requests a question for Knative Services needs where the server answers them so, and what it finds:
    objects by name, or the status of the error.

    after: the server's Retry-After.
    """
    left = list(statuses)
    headers = {"Retry-After": after, "Content-Type": "application/json"} if after else None
    with serving(lambda *_: (left.pop(0), '{"items": []}'), headers) as port:
        own = kubeconfig(port, server=f"http://127.0.0.1:{port}")
        try:
            found: Any = by_name(cluster_client(json.dumps(own)), "default", "services")
        except kubernetes.client.ApiException as error:
            found = error.status
    return len(statuses) - len(left), found


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_a_later_request_gets_it(status: int) -> None:
    assert answered([status, status, 200]) == (3, {}), "while its storage starts, nothing is known of a cluster"


@pytest.mark.parametrize(("status", "after"), [(429, None), (500, "1"), (404, "1")])
def test_no_other_answer_is_asked_for_again(status: int, after: str | None) -> None:
    assert answered([status, 200], after) == (1, status)


def test_a_server_that_never_stops_asking_is_reported_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    assert answered([429] * 30, "3600") == (21, 429)
    assert set(slept) == {5}, "a single answer holds a command for an hour"


def certified(folder: Path) -> dict[str, Any]:
    """A kubeconfig with certificates and a key of its own."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=any"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    data = {name: base64.b64encode(file.read_bytes()).decode() for name, file in (("c", certificate), ("k", key))}
    own = kubeconfig(1, **{"certificate-authority-data": data["c"]})
    own["users"][0]["user"] = {"client-certificate-data": data["c"], "client-key-data": data["k"]}
    return own


def test_a_second_client_of_the_same_cluster_does_not_look_for_the_firsts_files(tmp_path: Path) -> None:
    own = json.dumps(certified(tmp_path))
    first = cluster_client(own)
    cluster_client.cache_clear()  # as in another thread: two namespaces are asked at once
    assert cluster_client(own) is not first
    with ThreadPoolExecutor(8) as threads:
        assert len(set(map(id, threads.map(lambda _: cluster_client.__wrapped__(own), range(16))))) == 16


def test_data_that_is_no_base64_is_reported() -> None:
    own = kubeconfig(1, **{"certificate-authority-data": "a"})
    with pytest.raises(kubernetes.config.ConfigException, match="certificate-authority-data is not base64"):
        cluster_client(json.dumps(own))

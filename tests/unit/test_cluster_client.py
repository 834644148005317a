"""The client of a cluster's API: what of its kubeconfig it heeds."""

from __future__ import annotations

import json
import ssl
from typing import Any

import pytest

from components.asked_cluster import AskedCluster, UnreachableError
from components.cluster_client import cluster_client
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

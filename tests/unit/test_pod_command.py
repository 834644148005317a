"""A command in a container: what is asked of the API server, what the command reads, and what its end is."""

from __future__ import annotations

import json
import ssl
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import pytest

from components.stores import pod_command

SUCCESS = b"\x03" + json.dumps({"status": "Success"}).encode()
FAILED = b"\x03" + json.dumps({"status": "Failure", "message": "command terminated with exit code 1"}).encode()


def run(*messages: bytes, proxy: str | None = None) -> tuple[str | None, mock.Mock, mock.Mock]:
    """The failure that a command ends with, the connection, and how that was made."""
    context = mock.Mock(spec=ssl.SSLContext)
    client = mock.Mock(
        configuration=mock.Mock(host="https://10.0.0.1:6443", tls_server_name="the-cluster", proxy=proxy)
    )
    client.rest_client.pool_manager.connection_pool_kw = {"ssl_context": context}
    client.update_params_for_auth.side_effect = lambda headers, *_: headers.update(authorization="Bearer token")
    connection = mock.Mock(recv=mock.Mock(side_effect=messages))
    with (
        mock.patch.object(pod_command, "cluster_client", return_value=client),
        mock.patch("websocket.create_connection", return_value=connection) as made,
    ):
        failure = pod_command.run_in_pod("a kubeconfig", "default", "redis-0", "redis", "read -r x", ["one", "two é"])
    assert made.call_args.kwargs["sslopt"] == {"context": context, "server_hostname": "the-cluster"}
    assert connection.close.called, "the connection stays open"
    return failure, connection, made


def test_the_lines_go_by_standard_input_and_nothing_of_them_by_the_url() -> None:
    failure, connection, made = run(b"\x01told", SUCCESS)
    assert failure is None
    (url,) = made.call_args.args
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("wss", "10.0.0.1:6443")
    assert parts.path == "/api/v1/namespaces/default/pods/redis-0/exec"
    query = parse_qs(parts.query)
    assert query["command"] == ["bash", "-c", "read -r x"] and query["container"] == ["redis"]
    assert "one" not in url, "the API server's log has it"
    assert connection.send_binary.call_args.args == (b"\x00one\ntwo \xc3\xa9\n",)
    assert made.call_args.kwargs["header"] == {"authorization": "Bearer token"}, "a user with a token is refused"
    assert made.call_args.kwargs["subprotocols"] == [pod_command.PROTOCOL]


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([b"\x02no such ", b"\x02role\n", FAILED], "no such role"),
        ([b"\x01only this", FAILED], "command terminated with exit code 1"),
        ([b""], "the connection ended before the command did"),
    ],
)
def test_a_command_that_fails_says_why(messages: list[bytes], told: str) -> None:
    assert run(*messages)[0] == told


def test_the_connection_goes_the_way_of_the_clusters_client() -> None:
    _, _, made = run(SUCCESS)
    assert made.call_args.kwargs["http_no_proxy"] == ["*"], "a proxy of the environment is asked for the cluster"
    _, _, made = run(SUCCESS, proxy="http://me:p%40ss@proxy.test:3128")
    options = made.call_args.kwargs
    assert (options["http_proxy_host"], options["http_proxy_port"]) == ("proxy.test", 3128)
    assert options["http_proxy_auth"] == ("me", "p@ss") and "http_no_proxy" not in options

"""A command in a container that runs: what `kubectl exec` does, without kubectl.

The Kubernetes library has the same, but wants the certificate and the key as files (`components.cluster.client` says
why there are none).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import websocket

from components.cluster.client import cluster_client

COMMAND_SECONDS = 60
"""Longest silence of a command."""
PROTOCOL = "v4.channel.k8s.io"
"""Streams of a container over one connection: the first byte of a message says which."""
_STDIN, _STDERR, _RESULT = 0, 2, 3


def run_in_pod(
    kubeconfig: str, namespace: str, pod: str, container: str, script: str, lines: Sequence[str]
) -> str | None:
    """Run a script of bash in a container; None where it succeeds, else what it told.

    lines: what the script reads from standard input, which is never closed. Nothing of them is among its arguments.
    Raises OSError or websocket.WebSocketException where the cluster refuses or falls silent.
    """
    client = cluster_client(kubeconfig)
    command = [("command", part) for part in ("bash", "-c", script)]
    streams = [("container", container), *((stream, "true") for stream in ("stdin", "stdout", "stderr"))]
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec?{urlencode([*command, *streams])}"
    headers: dict[str, str] = {}
    client.update_params_for_auth(headers, [], ["BearerToken"])
    tls = {"context": client.rest_client.pool_manager.connection_pool_kw["ssl_context"]}
    if client.configuration.tls_server_name:
        tls["server_hostname"] = client.configuration.tls_server_name
    connection = websocket.create_connection(
        client.configuration.host.replace("http", "ws", 1) + path,
        timeout=COMMAND_SECONDS,
        header=headers,
        subprotocols=[PROTOCOL],
        sslopt=tls,
        **_proxy(client.configuration.proxy),
    )
    try:
        connection.send_binary(bytes([_STDIN]) + "".join(f"{line}\n" for line in lines).encode())
        return _failure(connection)
    finally:
        connection.close()


def _proxy(proxy: str | None) -> dict[str, Any]:
    """The way to the cluster that its client takes; the library would look into the environment once more."""
    if not proxy:
        return {"http_no_proxy": ["*"]}
    parts = urlsplit(proxy)
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return {"http_proxy_host": parts.hostname, "http_proxy_port": parts.port, "http_proxy_auth": login}


def _failure(connection: websocket.WebSocket) -> str | None:
    """What a command told of its failure; None where it succeeded."""
    told = b""
    while True:
        message = connection.recv()
        data = message.encode() if isinstance(message, str) else message
        if data[:1] == bytes([_STDERR]):
            told += data[1:]
        elif data[:1] == bytes([_RESULT]):
            status = json.loads(data[1:])
            if status.get("status") == "Success":
                return None
            return told.decode(errors="replace").strip() or str(status.get("message", "it failed"))
        elif not data:
            return "the connection ended before the command did"

"""An HTTP proxy as companies have one: it forwards, knows hosts that nobody else does, and logs every request."""

from __future__ import annotations

import base64
import contextlib
import http.client
import select
import socket
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_BYTES = 65536


class ForwardProxy:
    """What a running proxy is asked, and where it leads."""

    def __init__(self, hosts: Mapping[str, int], login: str | None) -> None:
        """
        hosts: names that lead to ports of 127.0.0.1; all others are refused, so that nothing leaves this machine.
        login: `user:password` that is wanted; None: none is.
        """
        self._hosts, self._login = hosts, login
        self.address = ""
        """`address:port` of the proxy."""
        self.asked: list[str] = []
        """`host:port` of each request, in order."""

    @property
    def url(self) -> str:
        """For HTTPS_PROXY."""
        return f"http://{self.address}"

    def admits(self, given: str | None) -> bool:
        """Whether a Proxy-Authorization is the wanted one."""
        return self._login is None or given == f"Basic {base64.b64encode(self._login.encode()).decode()}"

    def port_of(self, target: str) -> int | None:
        """Writes a request down; the port that it leads to, None: none."""
        self.asked.append(target)
        return self._hosts.get(target.rpartition(":")[0])


@contextlib.contextmanager
def forward_proxy(
    hosts: Mapping[str, int] | None = None, *, login: str | None = None, listen: str = "127.0.0.1"
) -> Iterator[ForwardProxy]:
    """A proxy that runs as long as the context. listen: the address of this machine where it does."""
    proxy = ForwardProxy(hosts or {}, login)

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            if server := self._server(self.path):
                self.send_response(200)
                self.end_headers()
                with server:
                    _relay(self.connection, server)
            self.close_connection = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            server = self._server(f"{parts.hostname}:{parts.port or 80}")
            if not server:
                return
            with server:
                connection = http.client.HTTPConnection(parts.netloc)
                connection.sock = server
                connection.request("GET", parts._replace(scheme="", netloc="").geturl(), headers=dict(self.headers))
                answer = connection.getresponse()
                body = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _server(self, target: str) -> socket.socket | None:
            port = proxy.port_of(target)
            if not proxy.admits(self.headers["Proxy-Authorization"]):
                self.send_error(407)
            elif port is None:
                self.send_error(403)
            else:
                return socket.create_connection(("127.0.0.1", port), timeout=10)
            return None

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer((listen, 0), Handler)
    server.daemon_threads = True  # a tunnel that a client keeps open holds nobody up
    proxy.address = f"{listen}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Pass on bytes both ways until one side ends."""
    with contextlib.suppress(OSError):
        while True:
            readable = select.select([one, other], [], [], 60)[0]
            if not readable:
                return
            for ready in readable:
                data = ready.recv(_BYTES)
                if not data:
                    return
                (other if ready is one else one).sendall(data)

"""A server of published files on the loopback, with their checksums beside them."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from toolchain.pins import Download


class Releases:
    """Files by path; a file may claim to be longer than it is. Remembers what it was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.claimed: dict[str, int | str] = {}
        self.asked: list[str] = []
        releases = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.lstrip("/")
                releases.asked.append(path)
                content = releases.files.get(path)
                if content is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(releases.claimed.get(path, len(content))))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def publish(self, file: str, content: bytes) -> None:
        """Put up a file, and its checksum beside it."""
        self.files[file] = content
        self.files[f"{file}.sha256sum"] = f"{hashlib.sha256(content).hexdigest()}  {file}\n".encode()

    def download(self, name: str, file: str) -> Download:
        """How the file of a tool is found here."""
        return Download(name, "1.2.3", f"{self.url}/{file}", f"{self.url}/{file}.sha256sum")


@contextlib.contextmanager
def serving() -> Iterator[Releases]:
    """Such a server, until the end."""
    releases = Releases()
    thread = threading.Thread(target=releases.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield releases
    finally:
        releases.server.shutdown()
        releases.server.server_close()
        thread.join()

"""An image registry as a company has one: TLS with a certificate of its own authority, a login, and a log."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import ssl
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass
class Registry:
    """What a running registry has and was asked."""

    host: str
    """Its name, in its certificate."""
    ca: Path
    """PEM file of its authority."""
    port: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and User-Agent of each request that was logged in."""


@contextlib.contextmanager
def registry(host: str, login: str, images: Mapping[str, str], archive: Path, folder: Path) -> Iterator[Registry]:
    """A registry on loopback, as long as the context.

    host: its name. login: `user:password`. images: `repository:tag` to a reference of the archive (`docker save`
    format). folder: for its certificate; openssl makes it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*_certificate(host, folder))
    content = _content(images, archive)
    wanted = f"Basic {base64.b64encode(login.encode()).decode()}"
    running = Registry(host, folder / "ca.pem")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.headers["Authorization"] != wanted:
                self._answer(401, b"", "text/plain", {"WWW-Authenticate": 'Basic realm="registry"'})
                return
            running.asked.append((self.command, self.path, self.headers["User-Agent"] or ""))
            kind, body = content.get(self.path, ("", b""))
            if self.path == "/v2/":
                self._answer(200, b"{}", "application/json", {})
            elif not kind:
                self._answer(404, b"{}", "application/json", {})
            else:
                digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
                self._answer(200, body, kind, {"Docker-Content-Digest": digest})

        do_HEAD = do_GET  # noqa: N815 - the server's own names

        def _answer(self, status: int, body: bytes, kind: str, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            given = {"Content-Type": kind, "Content-Length": str(len(body)), **headers}
            for name, value in given.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    running.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()


def _content(images: Mapping[str, str], archive: Path) -> dict[str, tuple[str, bytes]]:
    """Content type and body, by path."""
    found: dict[str, tuple[str, bytes]] = {}
    with tarfile.open(archive) as tar:

        def read(name: str) -> bytes:
            member = tar.extractfile(name)
            assert member, name
            return member.read()

        listed = {entry["RepoTags"][0]: entry for entry in json.loads(read("manifest.json"))}
        for name, reference in images.items():
            repository, _, tag = name.partition(":")
            entry = listed[reference]

            def blob(kind: str, body: bytes, place: str = repository) -> dict[str, str | int]:
                digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
                found[f"/v2/{place}/blobs/{digest}"] = ("application/octet-stream", body)
                return {"mediaType": kind, "digest": digest, "size": len(body)}

            config = blob("application/vnd.oci.image.config.v1+json", read(entry["Config"]))
            layers = [blob("application/vnd.oci.image.layer.v1.tar", read(layer)) for layer in entry["Layers"]]
            manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
            body = json.dumps(manifest).encode()
            for version in (tag, f"sha256:{hashlib.sha256(body).hexdigest()}"):
                found[f"/v2/{repository}/manifests/{version}"] = (MANIFEST, body)
    return found


def _certificate(host: str, folder: Path) -> tuple[Path, Path]:
    """Certificate and key for a host, signed by an authority made for it, whose certificate is ca.pem."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    openssl(*new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=the company")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", f"subjectAltName=DNS:{host}")
    openssl(*new, "-keyout", "server.key", "-out", "server.pem", "-subj", f"/CN={host}", *signed)
    return folder / "server.pem", folder / "server.key"

"""What is outside, on the loopback interface: files by path, and an OCI registry as strict as a public one.

The registry wants a token for each repository, gives it to anybody or to one user, serves a manifest only to who
accepts its type, and sends who asks for a blob to another host, which refuses an Authorization header. Every request is
noted.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock
from urllib.parse import parse_qs, urlsplit

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
SILENT = "silent"


class Upstream:
    """One server: a web server, a chart repository and a registry. Its state may change between requests."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        """Content by path."""
        self.manifests: dict[str, bytes] = {}
        """Of the registry, by `<repository>:<tag>`."""
        self.blobs: dict[str, bytes] = {}
        """Of the registry, by digest."""
        self.user: tuple[str, str] | None = None
        """Who alone gets a token; None: everybody."""
        self.fault: int | str | None = None
        """Status of every answer, or SILENT: no answer; None: all is well."""
        self.fails = 0
        """How many of the next answers have the fault; 0: all."""
        self.missing = 0
        """Bytes at the end of each file that are announced and not sent."""
        self.asked: list[str] = []
        """Every request: its path."""
        self._awake = threading.Event()
        self._port = 0
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self.listen()

    @property
    def host(self) -> str:
        """Name and port."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Base of the files' URLs."""
        return f"http://{self.host}"

    def listen(self) -> None:
        """Listen, at the same port as before."""
        upstream = self

        class Handler(_Handler):
            at = upstream

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def refuse(self) -> None:
        """Listen no more: connections are refused."""
        self._awake.set()
        if self._server and self._thread:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server, self._awake = None, threading.Event()

    def push(self, repository: str, tag: str, archive: bytes, layer: str = LAYER) -> str:
        """Put a chart into the registry; its digest."""
        digest = f"sha256:{hashlib.sha256(archive).hexdigest()}"
        layers = [{"mediaType": layer, "digest": digest, "size": len(archive)}]
        self.blobs[digest] = archive
        self.manifests[f"{repository}:{tag}"] = json.dumps({"schemaVersion": 2, "layers": layers}).encode()
        return digest

    def publish(self, folder: str, name: str, version: str, archive: bytes, digest: str | None = None) -> None:
        """Put a chart into the repository below a path, beside those that are there."""
        index = self.files.get(f"{folder}/index.yaml", b"apiVersion: v1\nentries:\n").decode()
        found = digest or hashlib.sha256(archive).hexdigest()
        entry = f"  {name}:\n  - {{name: {name}, version: {version}, digest: {found}, urls: [{name}-{version}.tgz]}}\n"
        self.files[f"{folder}/index.yaml"] = f"{index}{entry}".encode()
        self.files[f"{folder}/{name}-{version}.tgz"] = archive

    def next_fault(self) -> int | str | None:
        """The fault of the next answer; None: it is well."""
        fault = self.fault
        if fault and self.fails:
            self.fails -= 1
            if not self.fails:
                self.fault = None
        return fault

    def sleep(self) -> None:
        """As long as nobody refuses."""
        self._awake.wait(60)

    def token(self, repository: str) -> str:
        """What opens one repository."""
        return hashlib.sha256(f"{self._port} {repository}".encode()).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    at: Upstream

    def do_GET(self) -> None:
        """Note the request, and answer it."""
        self.at.asked.append(self.path)
        fault, path = self.at.next_fault(), urlsplit(self.path).path
        if fault == SILENT:
            self.at.sleep()
        elif fault:
            self.answer(int(fault), b"no")
        elif path == "/token":
            self._token()
        elif path.startswith("/v2/"):
            self._registry(*path.removeprefix("/v2/").rsplit("/", 2))
        elif path.startswith("/cdn/"):
            refused = "Authorization" in self.headers
            self.answer(400 if refused else 200, b"one way alone" if refused else self.at.blobs[path[5:]])
        else:
            content = self.at.files.get(path)
            self.answer(404 if content is None else 200, content or b"")

    def _token(self) -> None:
        user = self.at.user
        expected = f"Basic {base64.b64encode(':'.join(user).encode()).decode()}" if user else None
        asked = parse_qs(urlsplit(self.path).query)
        kind, _, rest = asked.get("scope", [""])[0].partition(":")
        repository, _, action = rest.rpartition(":")
        if self.headers.get("Authorization") != expected:
            self.answer(401, b"who are you?")
        elif (kind, action) != ("repository", "pull") or asked.get("service") != [self.at.host]:
            self.answer(400, b"for what?")
        else:
            self.answer(200, json.dumps({"token": self.at.token(repository)}).encode())

    def _registry(self, repository: str, kind: str, name: str) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.at.token(repository)}":
            challenge = (
                f'Bearer realm="{self.at.url}/token",service="{self.at.host}",scope="repository:{repository}:pull"'
            )
            self.answer(401, b"{}", {"WWW-Authenticate": challenge})
        elif kind == "blobs" and name in self.at.blobs:
            cdn = f"http://localhost:{self.at.host.rpartition(':')[2]}/cdn/{name}"
            self.answer(307, b"", {"Location": cdn})
        elif kind == "manifests" and MANIFEST in self.headers.get("Accept", ""):
            content = self.at.manifests.get(f"{repository}:{name}")
            self.answer(404 if content is None else 200, content or b"", {"Content-Type": MANIFEST})
        else:
            self.answer(404, b"{}")

    def answer(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send it."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) + (self.at.missing if status == 200 else 0)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output to themselves."""


@contextlib.contextmanager
def upstream() -> Iterator[Upstream]:
    """Outside, as long as the block runs; it is reached directly, whatever proxies the environment names."""
    direct = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    running = Upstream()
    try:
        with mock.patch.dict(os.environ, direct, clear=True):
            yield running
    finally:
        running.refuse()


def packed(folder: Path, name: str, version: str) -> bytes:
    """A chart's folder as `helm package` makes an archive of it, with another version."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = file.read_bytes()
            if file.relative_to(folder) == Path("Chart.yaml"):
                lines = content.decode().splitlines()
                content = "\n".join(f"version: {version}" if li.startswith("version:") else li for li in lines).encode()
            member = tarfile.TarInfo(f"{name}/{file.relative_to(folder).as_posix()}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()

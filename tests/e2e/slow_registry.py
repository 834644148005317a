"""A registry on 127.0.0.1 with one image, that sends its layers slowly: for pulls that last until they are interrupted.

The image is one that Docker has, with padding at the end of its last layer: so Docker has not got that layer, and pulls
it. Docker takes registries of 127.0.0.0/8 without TLS.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import secrets
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIGURATION = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
CHUNK = 256 * 1024
SLOW_BYTES = 2 * 2**20
"""Bytes of a layer sent per second while the registry is slow."""


class SlowRegistry:
    """One image, as `repository` at `tag` says it."""

    def __init__(self, image: str, folder: Path) -> None:
        """
        image: one that Docker has.
        folder: for its archive, as large as the image.
        """
        archive = folder / "image.tar"
        subprocess.run(["docker", "save", "--output", str(archive), image], check=True)
        self.slow = threading.Event()
        """Set while layers are sent slowly."""
        self.slow.set()
        self.sent = 0
        """Bytes of layers that were sent."""
        self.blobs: dict[str, list[tuple[Path, int, int] | bytes]] = {}
        """By digest: parts, each bytes or a piece of a file (its offset and size)."""
        self.manifest = json.dumps(self._read(archive)).encode()
        registry = self

        class Handler(_Handler):
            of = registry

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.reference = f"127.0.0.1:{self._server.server_port}/node:slow"

    @contextlib.contextmanager
    def serving(self) -> Iterator[SlowRegistry]:
        """Answer within the block; afterwards the image that Docker pulled goes."""
        thread = threading.Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self.slow.clear()
            self._server.shutdown()
            thread.join()
            self._server.server_close()
            subprocess.run(["docker", "image", "rm", "--force", self.reference], check=False, capture_output=True)

    def _read(self, archive: Path) -> dict[str, Any]:
        padding = bytes(512 * (2 + secrets.randbelow(4096)))
        with tarfile.open(archive) as tar:
            (entry,) = json.loads(_content(tar, "manifest.json"))
            configuration = json.loads(_content(tar, entry["Config"]))
            layers = [tar.getmember(name) for name in entry["Layers"]]
        parts: list[list[tuple[Path, int, int] | bytes]] = [[(archive, m.offset_data, m.size)] for m in layers]
        parts[-1].append(padding)
        told = [self._keep(each) for each in parts]
        configuration["rootfs"]["diff_ids"] = [layer["digest"] for layer in told]
        return {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIGURATION, **self._keep([json.dumps(configuration).encode()])},
            "layers": [{"mediaType": LAYER, **layer} for layer in told],
        }

    def _keep(self, parts: list[tuple[Path, int, int] | bytes]) -> dict[str, Any]:
        digest, size = hashlib.sha256(), 0
        for chunk in chunks(parts):
            digest.update(chunk)
            size += len(chunk)
        name = f"sha256:{digest.hexdigest()}"
        self.blobs[name] = parts
        return {"size": size, "digest": name}


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    assert file, name
    return file.read()


def chunks(parts: list[tuple[Path, int, int] | bytes]) -> Iterator[bytes]:
    """The bytes of a blob."""
    for part in parts:
        if isinstance(part, bytes):
            yield part
            continue
        path, offset, left = part
        with path.open("rb") as file:
            file.seek(offset)
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk


class _Handler(http.server.BaseHTTPRequestHandler):
    of: ClassVar[SlowRegistry]
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        kind, _, name = self.path.removeprefix("/v2/").removeprefix("node/").partition("/")
        if not kind:
            self._send("application/json", [b"{}"], body)
        elif kind == "manifests":
            self._send(MANIFEST, [self.of.manifest], body)
        elif kind == "blobs" and name in self.of.blobs:
            self._send("application/octet-stream", self.of.blobs[name], body)
        else:
            self.send_error(404)

    def _send(self, kind: str, parts: list[tuple[Path, int, int] | bytes], body: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(sum(len(p) if isinstance(p, bytes) else p[2] for p in parts)))
        if kind == MANIFEST:
            self.send_header("Docker-Content-Digest", f"sha256:{hashlib.sha256(self.of.manifest).hexdigest()}")
        self.end_headers()
        if not body:
            return
        with contextlib.suppress(OSError):  # the pull was interrupted
            for chunk in chunks(parts):
                self.wfile.write(chunk)
                if kind == "application/octet-stream" and len(chunk) == CHUNK:
                    self.of.sent += len(chunk)
                    if self.of.slow.is_set():
                        time.sleep(CHUNK / SLOW_BYTES)

    def log_message(self, *_: object) -> None:
        """No line for each request."""

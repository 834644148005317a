"""Images of a small server that is not the conference application: a team's own service in documents and tests.

As with the conference application, an image's environment says the version.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from offline import cache, go_builds
from offline.image_archive import write_images_of

PUBLISHED: Final = "ghcr.io/acme/"
"""Where the documents have it; a team's own registry."""
PREFIX: Final = "dev.local/acme/"
VERSIONS: Final = ("1.0.0", "1.1.0")


def archive() -> Path:
    """The `docker load` archive with every version, built unless the cache has it. Errors of `go_builds.binaries`."""
    binary = go_builds.binaries("hello") / "hello"
    key = {
        "binary": cache.files_digest(binary),
        "images": cache.files_digest(Path(__file__), Path(__file__).with_name("image_archive.py")),
    }
    images = [(f"{PREFIX}hello:{version}", ["/hello"], {"HELLO_VERSION": version}) for version in VERSIONS]
    return (
        cache.built("hello-images", key, lambda folder: write_images_of(binary, images, folder / "hello.tar"))
        / "hello.tar"
    )

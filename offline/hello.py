"""The images of the stand-in for Google's sample `hello-app`: a team's own service, in the documents and the tests.

As with the conference application, an image's environment says the version.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from offline import cache, go_builds
from offline.image_archive import write_images_of

REPOSITORY: Final = "google-samples/containers/gke/hello-app"
PUBLISHED: Final = f"us-docker.pkg.dev/{REPOSITORY}"
NAME: Final = f"dev.local/{REPOSITORY}"
VERSIONS: Final = {"1.0": "1.0.0", "2.0": "2.0.0"}
"""What the images say, by their tags."""


def archive() -> Path:
    """The `docker load` archive with every version, built unless the cache has it. Errors of `go_builds.binaries`."""
    binary = go_builds.binaries("hello") / "hello"
    key = {
        "binary": cache.files_digest(binary),
        "images": cache.files_digest(Path(__file__), Path(__file__).with_name("image_archive.py")),
    }
    images = [(f"{NAME}:{tag}", ["/hello"], {"HELLO_VERSION": version}) for tag, version in VERSIONS.items()]
    return (
        cache.built("hello-images", key, lambda folder: write_images_of(binary, images, folder / "hello.tar"))
        / "hello.tar"
    )

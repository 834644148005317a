"""The sources file: tells the program where manifests, charts and images are, in the place of upstream.

`images` maps repositories, written in full with their registry, to what runs instead. A key that ends with a slash is a
prefix and gives way to its value; a value with a tag replaces repository, tag and digest. The longest key wins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from offline import cache, conference, go_builds, hello, knative, kourier, node, stores, versions

_COMMENT: Final = (
    "# Written by `python -m offline build`: what was built from package registries stands in for upstream.\n"
)


def manifests(release: str = knative.DEFAULT_RELEASE) -> Path:
    """The cached folder with the manifests of a release of Serving and its Kourier, laid out as upstream has them."""
    recipe = [Path(__file__).with_name(name) for name in ("sources.py", "knative.py", "kourier.py", "versions.py")]
    modules = [go_builds.MODULES / program for program in (f"serving-{release}", "kourier")]

    def write(folder: Path) -> None:
        knative.write_manifests(folder / "serving/releases/download" / f"knative-v{release}", release)
        kourier.write_manifest(
            folder / "net-kourier/releases/download" / f"knative-v{versions.KOURIER[release]}", release
        )

    return cache.built("manifests", {"release": release, "recipe": cache.files_digest(*recipe, *modules)}, write)


def archives(release: str = knative.DEFAULT_RELEASE) -> list[Path]:
    """Every image archive to be loaded into the cluster, that with the slowest start first; the node image is the
    engine's and not among them.
    """
    kafka, *others = stores.archives()
    return [kafka, knative.archive(release), kourier.archive(), *others, conference.archive(), hello.archive()]


def images(release: str = knative.DEFAULT_RELEASE) -> dict[str, str]:
    """Upstream's repositories, or prefixes of them, to what stands in for them."""
    return {
        "docker.io/kindest/node": node.REFERENCE,
        **knative.image_names(release),
        **kourier.image_names(),
        **{f"docker.io/bitnamilegacy/{store.name}": f"dev.local/{store.name}:{store.tag}" for store in stores.STORES},
        "docker.io/salaboy/": "dev.local/salaboy/",
        hello.PUBLISHED: hello.NAME,
    }


def write(file: Path, release: str = knative.DEFAULT_RELEASE) -> None:
    """Write the sources file for a release of Serving; whatever it names is built first unless the cache has it."""
    content = {
        "manifests": str(manifests(release)),
        "charts": str(stores.charts()),
        "archives": [str(archive) for archive in archives(release)],
        "images": images(release),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.write_text(_COMMENT + yaml.safe_dump(content, sort_keys=False, width=200))
    unfinished.replace(file)

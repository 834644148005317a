"""The toolchain that is built from package registries: asked of `python -m offline`, unless all of it is there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

import offline
from offline import cache, engine, versions
from toolchain import ToolchainError, steps
from toolchain.choose import VARIABLE
from toolchain.state import Checkout

KNATIVE = "KNATIVE"
"""Environment variable that names a release of Knative Serving to build, beside the default one."""
MARK = ".built-from"
"""A file beside the links, with the recipe that they were built from."""
NODE_IMAGE = "docker.io/kindest/node"


def build(checkout: Checkout, env: Mapping[str, str], console: Console, *, compiling: bool = True) -> None:
    """Link the tools, and write the sources file, compiling what the cache lacks.

    compiling: False fails where the cache lacks anything. Raises ToolchainError or EngineError.
    """
    release = _release(env)
    releases = (None, release) if release else (None,)
    if engine.answers() and all(is_there(checkout, env, knative) for knative in releases):
        return
    if not compiling:
        if _offline(checkout, env, "build", *_targets(checkout, None), "--from-cache"):
            raise ToolchainError("The tools are not in the cache, and building them takes about 25 minutes.")
        return
    if _offline(checkout, env, "needs", *(["--knative", release] if release else [])):
        raise ToolchainError(
            "This machine cannot build offline, see above. With access to the releases and image registries: "
            f"make up {VARIABLE}=upstream"
        )
    if not engine.answers():
        with steps.step(console, "Docker"):
            engine.ensure_running(checkout.engine)
    for knative in releases:
        if not is_there(checkout, env, knative):
            with steps.step(console, f"offline build{f' with Knative {knative}' if knative else ''}"):
                if _offline(checkout, env, "build", *_targets(checkout, knative)):
                    raise ToolchainError(
                        "The offline build failed, see above. What is done is kept: run the same command again."
                    )
            (checkout.bin / MARK).write_text(recipe())


def is_there(checkout: Checkout, env: Mapping[str, str], knative: str | None) -> bool:
    """Whether the links are those of this recipe, and everything that the sources file names exists."""
    mark, sources = checkout.bin / MARK, checkout.sources_of(knative)
    if not mark.is_file() or mark.read_text() != recipe() or not sources.is_file():
        return False
    if not all(link.exists() for link in checkout.bin.iterdir()):
        return False
    content: dict[str, Any] = yaml.load(sources.read_text(), Loader=yaml.CSafeLoader) or {}
    files = [content.get("manifests"), content.get("charts"), *content.get("archives", [])]
    if not all(Path(str(file)).exists() for file in files):
        return False
    inspect = ["docker", "image", "inspect", content.get("images", {}).get(NODE_IMAGE, NODE_IMAGE)]
    return subprocess.run(inspect, env=dict(env), capture_output=True, check=False).returncode == 0


def recipe() -> str:
    """A digest of the package that builds: what is built follows from it."""
    folder = Path(offline.__file__).parent
    return cache.files_digest(*sorted(path for path in folder.iterdir() if path.name != "__pycache__"))


def _targets(checkout: Checkout, knative: str | None) -> list[str]:
    targets = ["--bin", str(checkout.bin), "--sources", str(checkout.sources_of(knative))]
    return [*targets, *(["--knative", knative] if knative else [])]


def _offline(checkout: Checkout, env: Mapping[str, str], *arguments: str) -> int:
    return steps.run([sys.executable, "-m", "offline", *arguments], checkout.root, env)


def _release(env: Mapping[str, str]) -> str | None:
    """The release of Knative Serving that is asked for; None for the default. Raises ToolchainError for another one."""
    release = env.get(KNATIVE)
    if not release:
        return None
    default, *others = versions.SERVING
    if release not in others:
        raise ToolchainError(
            f"{KNATIVE}={release} given; wanted {' or '.join(others)}, or nothing for {default}. "
            f"For example: make install {KNATIVE}={others[-1]}"
        )
    return release

"""The tutorial typed by hand, timed: the same images, charts, manifests and requests as the program's."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml

from components.manifests import redirect_images, small_requests, transformed
from components.sources.images import ImageMap
from components.sources.release_manifests import ManifestSource
from settings import Settings
from tests.conference import ROOT, SERVICES
from tests.e2e.environment import PROJECT, free_port

NAME = "bench-by-hand"
_SECONDS = 900


def by_hand(settings: Settings, folder: Path, kubectl_and_helm: str) -> dict[str, float]:
    """Seconds from the start to each step of the hand-typed tutorial, and of deleting its cluster.

    folder: scratch; kubectl_and_helm: a PATH part with both.
    """
    _write_manifests(settings, folder)
    sources = settings.sources
    environment = {
        **os.environ,
        "PATH": f"{kubectl_and_helm}:{os.environ['PATH']}",
        "NAME": NAME,
        "PORT": str(free_port()),
        "NODE_IMAGE": ImageMap(sources.images).redirected(settings.cluster.node_image),
        "MANIFESTS": str(folder),
        "CHARTS": sources.charts,
        "ARCHIVES": " ".join(sources.archives),
        "KUBECONFIG": str(folder / "kubeconfig"),
        "SERVICES": str(folder / "services.yaml"),
    }
    try:
        done = subprocess.run(
            [str(PROJECT / "tests/bench/by_hand.sh")],
            env=environment,
            text=True,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"the hand-typed tutorial failed:\n{done.stdout}{done.stderr}")
        steps = {name: float(seconds) for seconds, name in (line.split() for line in done.stdout.splitlines())}
    finally:
        begun = time.monotonic()
        subprocess.run(
            ["kind", "delete", "cluster", "--quiet", "--name", NAME], env=environment, timeout=120, check=True
        )
    return {**steps, "destroy": time.monotonic() - begun}


def _write_manifests(settings: Settings, folder: Path) -> None:
    """The release manifests with the program's images and small requests, and the four services as the tutorial has
    them.
    """
    source, images = ManifestSource(settings.sources.manifests), ImageMap(settings.sources.images)
    for repository, version, file in (
        ("serving", settings.knative.version, "serving-crds.yaml"),
        ("serving", settings.knative.version, "serving-core.yaml"),
        ("net-kourier", settings.knative.kourier_version, "kourier.yaml"),
    ):
        objects = transformed(
            source.load(repository, version, file), redirect_images(images.redirected), small_requests
        )
        (folder / file).write_text(yaml.safe_dump_all(objects))
    (folder / "services.yaml").write_text(yaml.safe_dump_all([_service(name, images) for name in SERVICES]))


def _service(name: str, images: ImageMap) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load((ROOT / "app" / f"{name}.yaml").read_text())
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    container["image"] = images.redirected(container["image"])
    return manifest

"""Container images without a container engine: a `docker load` archive from folders and files.

Deterministic (fixed times, sorted names, numeric owners), so the same inputs give the same archive.
`ctr images import`, `kind load image-archive` and `docker load` all read the format.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image: its reference, its layers (uncompressed tar files, lowest first) and how it starts."""

    reference: str
    layers: Sequence[Path]
    entrypoint: Sequence[str]
    command: Sequence[str] = ()
    user: str = "65532"
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = "/"
    stop_signal: str = "SIGTERM"
    labels: Mapping[str, str] = field(default_factory=dict)


def write_layer(
    target: Path, files: Mapping[str, Path | bytes], executable: Callable[[str], bool] = lambda _: True
) -> None:
    """Write a layer with single files: path inside the image (no leading slash) to a file or its content."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as layer:
        for name in sorted(files):
            content = files[name]
            data = content if isinstance(content, bytes) else content.read_bytes()
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755 if executable(name) else 0o644
            layer.addfile(member, io.BytesIO(data))


def write_archive(target: Path, images: Sequence[Image]) -> None:
    """Write images to one archive; a layer that several images share is stored once."""
    digests: dict[Path, str] = {}
    manifest = []
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:

        def add_bytes(name: str, data: bytes) -> None:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            archive.addfile(member, io.BytesIO(data))

        for image in images:
            for layer in image.layers:
                if layer not in digests:
                    digests[layer] = _sha256(layer)
                    member = tarfile.TarInfo(f"{digests[layer]}.tar")
                    member.size, member.mode = layer.stat().st_size, 0o644
                    with open(layer, "rb") as content:
                        archive.addfile(member, content)
            config = json.dumps(_config(image, [digests[layer] for layer in image.layers]), sort_keys=True).encode()
            name = f"{hashlib.sha256(config).hexdigest()}.json"
            add_bytes(name, config)
            manifest.append(
                {
                    "Config": name,
                    "RepoTags": [image.reference],
                    "Layers": [f"{digests[layer]}.tar" for layer in image.layers],
                }
            )
        add_bytes("manifest.json", json.dumps(manifest).encode())


def _sha256(path: Path) -> str:
    with open(path, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _config(image: Image, diff_ids: list[str]) -> dict[str, object]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "User": image.user,
            "Entrypoint": list(image.entrypoint),
            "Cmd": list(image.command),
            "Env": [f"{k}={v}" for k, v in sorted({"PATH": DEFAULT_PATH, **image.environment}.items())],
            "WorkingDir": image.working_directory,
            "StopSignal": image.stop_signal,
            "Labels": dict(image.labels),
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{d}" for d in diff_ids]},
    }


def write_images_of(
    binary: Path, images: Iterable[tuple[str, Sequence[str], Mapping[str, str]]], archive: Path
) -> None:
    """Write an archive of images that share one layer with one static binary.

    images: of each the reference, the entrypoint and the environment.
    """
    layer = archive.with_name("layer.tar")
    write_layer(layer, {binary.name: binary})
    made = [
        Image(reference=reference, layers=[layer], entrypoint=list(entrypoint), environment=dict(environment))
        for reference, entrypoint, environment in images
    ]
    write_archive(archive, made)
    layer.unlink()

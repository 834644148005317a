"""Knative Serving from its Go module: the two release manifests and the archive with its images.

The manifests are put together as upstream's release script does it: the files of `config/core` in order, the version
stamped into the labels, `ko://` references replaced by image names. The names stay upstream's, with the release as the
tag instead of a digest; the image map of the sources file says what runs in their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from offline import cache, go_builds, image_archive, versions
from offline.image_archive import Image, write_archive, write_layer

DEFAULT_RELEASE: Final = next(iter(versions.SERVING))
UPSTREAM_IMAGES: Final = "gcr.io/knative-releases/knative.dev/serving/cmd"
IMAGES: Final = "dev.local/knative-releases"

# Serving's tree has links to these files of other modules, and a Go module cannot hold links: place there, file there.
_LINKED: Final[Mapping[str, Mapping[str, str]]] = {
    "knative.dev/networking": {
        "300-resources/certificate.yaml": "config/certificate.yaml",
        "300-resources/domain-claim.yaml": "config/domain-claim.yaml",
        "300-resources/ingress.yaml": "config/ingress.yaml",
        "300-resources/serverlessservice.yaml": "config/serverlessservice.yaml",
        "configmaps/network.yaml": "config/config-network.yaml",
    },
    "knative.dev/caching": {"300-imagecache.yaml": "config/image.yaml"},
}

Manifest = Mapping[str, object]


def image_names(release: str = DEFAULT_RELEASE) -> Mapping[str, str]:
    """The images of a release: upstream's repository to the reference that `archive` holds."""
    folder = go_builds.binaries(f"serving-{release}")
    return {f"{UPSTREAM_IMAGES}/{file.name}": f"{IMAGES}/{file.name}:v{release}" for file in sorted(folder.iterdir())}


def archive(release: str = DEFAULT_RELEASE) -> Path:
    """The cached archive of the images of a release, each just its static binary as the release builds it."""
    built = go_builds.binaries(f"serving-{release}")
    key = {"binaries": built.name, "recipe": cache.files_digest(Path(__file__), Path(image_archive.__file__))}
    return cache.built("knative-images", key, lambda folder: _write_images(folder, built, release)) / "knative.tar"


def write_manifests(target: Path, release: str = DEFAULT_RELEASE) -> None:
    """Write `serving-crds.yaml` and `serving-core.yaml` of a release into the folder `target`."""
    files = _core_files(release)
    resources = [name for name in files if name.startswith("300-resources/")]
    target.mkdir(parents=True)
    for manifest, names in (("crds", [*resources, "300-imagecache.yaml"]), ("core", list(files))):
        text = "\n---\n".join(_stamped(files[name].read_text(), release) for name in names)
        (target / f"serving-{manifest}.yaml").write_text(text)


def differences(ours: Sequence[Manifest], theirs: Sequence[Manifest]) -> list[str]:
    """Every place where two sets of objects differ, one line each; image tags and digests do not count."""
    left, right = ({_identity(each): each for each in objects} for objects in (ours, theirs))
    missing = [f"{name}: only theirs" for name in right if name not in left]
    added = [f"{name}: only ours" for name in left if name not in right]
    changed = [f"{name}{line}" for name in left if name in right for line in _compare(left[name], right[name])]
    return [*missing, *added, *changed]


def load(path: Path) -> list[Manifest]:
    """The objects of a manifest file."""
    return [each for each in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader) if each]


def _write_images(folder: Path, binaries: Path, release: str) -> None:
    licence = go_builds.module_folder(f"serving-{release}", "knative.dev/serving") / "LICENSE"
    images = []
    for binary in sorted(binaries.iterdir()):
        layer = folder / f"{binary.name}.layer"
        write_layer(layer, {f"ko-app/{binary.name}": binary, "licenses/LICENSE": licence})
        images.append(Image(reference=f"{IMAGES}/{binary.name}:v{release}", layers=[layer],
                            entrypoint=[f"/ko-app/{binary.name}"]))  # fmt: skip
    write_archive(folder / "knative.tar", images)
    for layer in folder.glob("*.layer"):
        layer.unlink()


def _core_files(release: str) -> dict[str, Path]:
    """The files of `config/core` by their place there, in the order of upstream's release script."""
    name = f"serving-{release}"
    core = go_builds.module_folder(name, "knative.dev/serving") / "config" / "core"
    files = {file.relative_to(core).as_posix(): file for file in core.rglob("*.yaml")}
    for module, linked in _LINKED.items():
        origin = go_builds.module_folder(name, module)
        files |= {place: origin / path for place, path in linked.items()}
    return {place: files[place] for place in sorted(files, key=lambda place: Path(place).parts)}


def _stamped(text: str, release: str) -> str:
    text = text.replace("app.kubernetes.io/version: devel", f'app.kubernetes.io/version: "{release}"')
    return re.sub(r"ko://knative\.dev/serving/cmd/([a-z-]+)", rf"{UPSTREAM_IMAGES}/\1:v{release}", text)


def _identity(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    if not isinstance(metadata, Mapping):
        raise TypeError(f"an object without metadata: {manifest}")
    return f"{manifest['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


def _compare(ours: object, theirs: object, path: str = "") -> Iterator[str]:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for key in sorted({*ours, *theirs}):
            yield from _compare(ours.get(key), theirs.get(key), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for position, (left, right) in enumerate(zip(ours, theirs, strict=True)):
            yield from _compare(left, right, f"{path}[{position}]")
    elif _without_version(ours) != _without_version(theirs):
        yield f"{path}: ours {ours!r}, theirs {theirs!r}"


def _without_version(value: object) -> object:
    if isinstance(value, str) and value.startswith(UPSTREAM_IMAGES):
        return re.sub(r"(@sha256:.*|:v[^/]*)$", "", value)
    return value

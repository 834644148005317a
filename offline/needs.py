"""What the offline build needs of a machine, checked in one go before anything is compiled.

A build that is complete in the cache needs none of it: it is only linked.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from offline import cache

GIB: Final = 1 << 30
MEMORY_GIB: Final = 8
DISK_GIB: Final = 20
DEBIAN: Final = 12
GO: Final = (1, 25)
# A machine sold with 8 GiB reports less: firmware and kernel take their part first.
MEMORY_RESERVED: Final = GIB // 2


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What is known of a machine."""

    system: str
    """As `platform.system()` has it; `processor` as `platform.machine()`."""
    processor: str
    root: bool
    distribution: str
    """ID and VERSION_ID of /etc/os-release, such as `debian 12`; empty where there is none."""
    go: str
    """What `go env GOVERSION` prints, such as `go1.25.1`; empty where there is no Go."""
    memory: int
    """Bytes."""
    disk: int
    """Bytes that the cache may come to fill: those that are free, and those that it holds already."""


def lacking(machine: Machine) -> Iterator[str]:
    """A line for each thing that a machine lacks: given, wanted, and what helps. Pure."""
    if (machine.system, machine.processor) != ("Linux", "x86_64"):
        yield f"the system is {machine.system} on {machine.processor}; wanted Linux on x86_64"
    name, _, version = machine.distribution.partition(" ")
    if name != "debian" or not version.isdigit() or int(version) < DEBIAN:
        yield f"the distribution is {machine.distribution or 'not known'}; wanted debian {DEBIAN} or newer"
    if not machine.root:
        yield "the user is not root; wanted root, who makes the file systems of images"
    go = re.match(r"go(\d+)\.(\d+)", machine.go)
    if not go or (int(go[1]), int(go[2])) < GO:
        wanted = ".".join(map(str, GO))
        yield f"Go is {machine.go or 'not on PATH'}; wanted {wanted} or newer: https://go.dev/dl"
    if machine.memory < MEMORY_GIB * GIB - MEMORY_RESERVED:
        yield f"the memory is {machine.memory / GIB:.1f} GiB; wanted {MEMORY_GIB} GiB"
    if machine.disk < DISK_GIB * GIB:
        yield (
            f"the disk has {machine.disk / GIB:.1f} GiB for {cache.root()}; wanted {DISK_GIB} GiB: free some, or set "
            "KNATIVE_RELEASES_CACHE to a folder on another disk"
        )


def this_machine() -> Machine:
    """The machine that this runs on."""
    return Machine(
        system=platform.system(),
        processor=platform.machine(),
        root=os.geteuid() == 0,
        distribution=_distribution(),
        go=_go(),
        memory=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        disk=_disk(cache.root()),
    )


def complete(release: str) -> Path:
    """The file in the cache that says: the build with a release of Knative Serving was completed, from this recipe."""
    return cache.root() / f"complete-{recipe()}-{release}"


def recipe() -> str:
    """A digest of everything in this package: what is built follows from it."""
    folder = Path(__file__).parent
    return cache.files_digest(*sorted(path for path in folder.iterdir() if path.name != "__pycache__"))


def _distribution() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    return f"{release.get('ID', '')} {release.get('VERSION_ID', '')}".strip()


def _go() -> str:
    if shutil.which("go") is None:
        return ""
    return subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout.strip()


def _disk(folder: Path) -> int:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free >= DISK_GIB * GIB or there != folder:
        return free
    return free + sum(file.lstat().st_blocks * 512 for file in folder.rglob("*"))

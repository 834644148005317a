"""Small image roots: named files of a Debian root plus the shared libraries that they load, and nothing else.

A Debian root of a store is several hundred megabytes; what its server opens is a tenth of that, and every
megabyte is loaded into the cluster on the way to the first answered request.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

# Debian's merged /usr: the only links of a root that are not somebody's file.
USR_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
# Mounts of its own for the process, so that they end with it; /proc and /dev are what Java needs to start.
INSIDE = 'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" "$@"'
USER_ID = 1001
ACCOUNTS = {
    "etc/passwd": f"root:x:0:0:root:/root:/sbin/nologin\nstore:x:{USER_ID}:{USER_ID}:store:/tmp:/bin/bash\n",
    "etc/group": f"root:x:0:\nstore:x:{USER_ID}:\n",
}


class SlimRootError(RuntimeError):
    """A file that was asked for is not in the Debian root, in words for people."""


def inside(root: Path, *command: str) -> list[str]:
    """The command line that runs a command with `root` as its root folder; needs root. The process keeps its pid."""
    return ["unshare", "--mount", "sh", "-c", INSIDE, str(root), *command]


def slim_root(debian: Path, target: Path, keep: Sequence[str]) -> None:
    """Make `target` a root with the files of the root `debian` that match the patterns `keep`, and their libraries.

    Patterns are relative to the root; a folder is taken whole. Raises SlimRootError for a pattern without a match.
    """
    for link, destination in USR_LINKS.items():
        (target / destination).mkdir(parents=True)
        (target / link).symlink_to(destination)
    for folder in ("proc", "dev", "tmp", "etc"):
        (target / folder).mkdir()
    (target / "tmp").chmod(0o1777)
    for name, content in ACCOUNTS.items():
        (target / name).write_text(content)
    for pattern in keep:
        found = sorted(debian.glob(pattern))
        if not found:
            raise SlimRootError(f"The Debian root has nothing that matches `{pattern}`: correct the list in stores.py.")
        for path in found:
            _copy(debian, target, path)
    for library in _libraries(debian, target):
        _copy(debian, target, debian / library)


def write_root_layer(target: Path, root: Path) -> None:
    """Write a root folder as an uncompressed layer, with fixed times and every file owned by root."""
    subprocess.run(
        [
            "tar",
            "--create",
            "--file",
            str(target),
            "--directory",
            str(root),
            "--sort=name",
            "--mtime=@0",
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "--format=posix",
            "--pax-option=delete=atime,delete=ctime",
            ".",
        ],
        check=True,
    )


def _copy(debian: Path, target: Path, path: Path) -> None:
    """Copy a file, a folder or a link together with what it points to, keeping its place in the root."""
    first, _, rest = path.relative_to(debian).as_posix().partition("/")
    name = f"{USR_LINKS.get(first, first)}/{rest}"
    source, copy = debian / name, target / name
    if os.path.lexists(copy) and not copy.is_dir():
        return
    copy.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        copy.symlink_to(source.readlink())
        beside = os.path.normpath(Path("/", name).parent / source.readlink())
        _copy(debian, target, debian / beside.lstrip("/"))
    elif source.is_dir():
        for child in sorted(source.iterdir()):
            _copy(debian, target, child)
    else:
        shutil.copy2(source, copy)


def _libraries(debian: Path, target: Path) -> list[str]:
    """The libraries, relative to the root, that the programs and modules in `target` need."""
    programs = [f"/{path.relative_to(target)}" for path in _files(target) if path.read_bytes()[:4] == b"\x7fELF"]
    listed = subprocess.run(inside(debian, "ldd", *programs), check=True, capture_output=True, text=True).stdout
    words = {word for line in listed.splitlines() if line.startswith("\t") for word in line.split()}
    return sorted(word.lstrip("/") for word in words if word.startswith("/"))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())

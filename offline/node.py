"""The kind node image, made without a container engine and kept as an archive: a Debian root, kind's base files,
Kubernetes, and in containerd's store the images of Kubernetes' own pods.

Not upstream's: pods get their network from the static ptp and portmap plugins (one node only, no NetworkPolicy), and
volumes are folders of the node that every container may write to (node/root says how). Making it needs root on Debian.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from offline import cache, versions
from offline.debian_root import debian_root
from offline.engine_host import HostError
from offline.image_archive import Image, write_archive
from offline.kube_images import CONTROL_PLANE, write_kube_images

REFERENCE = f"dev.local/kindest/node:v{versions.KUBERNETES}"
LABEL = "knative-releases.node"
SOURCES = Path(__file__).with_name("node")
# kind's own list for its base image without network storage, and what kind builds from source.
PACKAGES = (
    "systemd",
    "systemd-sysv",
    "containerd",
    "runc",
    "containernetworking-plugins",
    "bash",
    "ca-certificates",
    "conntrack",
    "curl",
    "ethtool",
    "hostname",
    "iproute2",
    "iptables",
    "jq",
    "kmod",
    "libseccomp2",
    "mount",
    "nftables",
    "pigz",
    "procps",
    "util-linux",
)
NODE_BINARIES = ("kubelet", "kubeadm", "kubectl")
RECIPE = ("node.py", "kube_images.py", "slim_root.py", "debian_root.py", "image_archive.py")


class NodeImageError(HostError):
    """The node image cannot be made or loaded, in words for people."""


def node_image(kubernetes: Path, etcd: Path, coredns: Path, kind_files: Path) -> str:
    """Make sure that the running Docker has the node image of these builds, and return its reference.

    `kubernetes`, `etcd` and `coredns` are folders with the binaries; `kind_files` is `images/base/files` of kind's
    module. Builds the archive unless it is cached, loads it unless the engine's image has its label.
    """
    archive = node_archive(kubernetes, etcd, coredns, kind_files)
    label = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    there = _docker("image", "inspect", "--format", label, REFERENCE)
    if there.stdout.strip() != archive.parent.name:
        loaded = _docker("load", "--quiet", "--input", str(archive))
        if loaded.returncode != 0:
            raise NodeImageError(
                f"docker could not load the node image {archive}: {loaded.stderr.strip()}\n"
                "`docker info` says whether the engine runs, `df -h` whether its disk is full."
            )
    return REFERENCE


def node_archive(kubernetes: Path, etcd: Path, coredns: Path, kind_files: Path) -> Path:
    """The cached `docker load` archive of the node image; see `node_image`. Needs root on Debian."""
    binaries = [
        *(kubernetes / name for name in (*CONTROL_PLANE, "kube-proxy", *NODE_BINARIES)),
        etcd / "etcd",
        coredns / "coredns",
    ]
    recipe = (SOURCES, kind_files, *(SOURCES.with_name(name) for name in RECIPE))
    key = {
        "binaries": " ".join(_fingerprint(path) for path in binaries),
        "recipe": cache.files_digest(*recipe),
        "versions": " ".join((versions.KUBERNETES, versions.ETCD, versions.COREDNS, *versions.PAUSE)),
    }

    def build(folder: Path) -> None:
        work = folder / "work"
        root = work / "root"
        root.mkdir(parents=True)
        _unpack_debian(root)
        write_kube_images(work / "images.tar", root, kubernetes, etcd, coredns)
        _add_files(root, [kind_files, SOURCES / "root"], [kubernetes / name for name in NODE_BINARIES])
        _set_up(root, work / "images.tar", folder.with_name(f"{folder.name}.log"))
        _write_image(folder / "image.tar", root, label=folder.name.removeprefix(".").removesuffix(".unfinished"))
        shutil.rmtree(work)

    return cache.built("node", key, build) / "image.tar"


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)


def _unpack_debian(root: Path) -> None:
    layer = debian_root("node", PACKAGES) / "layer.tar"
    subprocess.run(["tar", "--extract", "--file", str(layer), "--directory", str(root), "--numeric-owner"], check=True)


def _add_files(root: Path, trees: Sequence[Path], binaries: Sequence[Path]) -> None:
    for tree in trees:  # modules are read-only in Go's cache; setup.sh says what is executable
        subprocess.run(["cp", "--recursive", "--no-preserve=mode", f"{tree}/.", str(root)], check=True)
    for binary in binaries:
        shutil.copy(binary, root / "usr/bin" / binary.name)


def _set_up(root: Path, images: Path, log: Path) -> None:
    """Run setup.sh in the root: services, configuration, and the images into containerd's store."""
    images.rename(root / "images.tar")
    shutil.copy(SOURCES / "setup.sh", root / "setup.sh")
    with open(log, "wb") as output:
        # Namespaces of its own for processes and mounts: nothing that the script starts outlives it.
        made = subprocess.run(
            [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                f"--mount-proc={root}/proc",
                "chroot",
                str(root),
                "/bin/bash",
                "/setup.sh",
                versions.KUBERNETES,
                "/images.tar",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if made.returncode != 0:
        said = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
        raise NodeImageError(f"Setting up the node's root file system failed; the end of its log {log}:\n{said}")
    log.unlink()
    (root / "setup.sh").unlink()


def _write_image(target: Path, root: Path, label: str) -> None:
    layer = root.with_name("layer.tar")
    subprocess.run(
        [
            "tar",
            "--create",
            "--file",
            str(layer),
            "--directory",
            str(root),
            "--sort=name",
            "--exclude=./dev/*",
            "--numeric-owner",
            ".",
        ],
        check=True,
    )
    write_archive(
        target,
        [
            Image(
                reference=REFERENCE,
                layers=[layer],
                entrypoint=["/usr/local/bin/entrypoint", "/sbin/init"],
                user="0",
                environment={"container": "docker"},
                stop_signal="SIGRTMIN+3",
                labels={LABEL: label},
            )
        ],
    )


def _fingerprint(path: Path) -> str:
    """Name, size and time of a binary: enough to see that it was built anew, without reading half a gigabyte."""
    status = path.stat()
    return f"{path.name}:{status.st_size}:{status.st_mtime_ns}"

"""The images of Kubernetes' own pods, from locally built binaries, under the names that kubeadm and kind ask for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from offline import versions
from offline.image_archive import Image, write_archive, write_layer
from offline.slim_root import slim_root, write_root_layer

REGISTRY = "registry.k8s.io"
PAUSE_SOURCE = Path(__file__).with_name("node") / "pause"
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
# kube-proxy, itself static, calls these of the root.
IPTABLES = ("usr/sbin/ip*tables*", "usr/lib/*-linux-gnu/xtables")


def write_kube_images(target: Path, debian: Path, kubernetes: Path, etcd: Path, coredns: Path) -> None:
    """Write the archive of all images that a kubeadm cluster starts.

    `debian` is a root folder with iptables; `kubernetes`, `etcd` and `coredns` are folders with the static binaries.
    Layers are written beside `target`.
    """

    def layer(name: str, files: dict[str, Path]) -> Path:
        path = target.with_name(f"{name}.layer.tar")
        write_layer(path, dict(files))
        return path

    def local(name: str) -> str:
        return f"usr/local/bin/{name}"

    kube = {name: layer(name, {local(name): kubernetes / name}) for name in (*CONTROL_PLANE, "kube-proxy")}
    pause = layer("pause", {"pause": _build_pause(target.with_name("pause"))})
    iptables = target.with_name("iptables.layer.tar")
    slim_root(debian, target.with_name("iptables"), IPTABLES)
    write_root_layer(iptables, target.with_name("iptables"))
    images = [
        *(_image(f"{name}:v{versions.KUBERNETES}", [kube[name]], f"/{local(name)}") for name in CONTROL_PLANE),
        _image(f"kube-proxy:v{versions.KUBERNETES}", [iptables, kube["kube-proxy"]], f"/{local('kube-proxy')}"),
        _image(f"etcd:{versions.ETCD}-0", [layer("etcd", {local("etcd"): etcd / "etcd"})], f"/{local('etcd')}"),
        _image(
            f"coredns/coredns:v{versions.COREDNS}", [layer("coredns", {"coredns": coredns / "coredns"})], "/coredns"
        ),
        *(_image(f"pause:{version}", [pause], "/pause", user="65535:65535") for version in versions.PAUSE),
    ]
    write_archive(target, images)


def _image(name: str, layers: list[Path], entrypoint: str, user: str = "0") -> Image:
    return Image(reference=f"{REGISTRY}/{name}", layers=layers, entrypoint=[entrypoint], user=user)


def _build_pause(target: Path) -> Path:
    subprocess.run(
        ["go", "build", "-trimpath", "-ldflags", "-s -w", "-o", str(target), "."],
        cwd=PAUSE_SOURCE,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"},
        check=True,
    )
    return target

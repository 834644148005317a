"""The node image: what it is made of, and when the engine gets it. Making it is tested with a real cluster (e2e)."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import pytest

from offline import debian_root, kube_images, node, versions

ROOT_FILES = node.SOURCES / "root"


def binaries(folder: Path) -> Path:
    for name in (*kube_images.CONTROL_PLANE, "kube-proxy", *node.NODE_BINARIES, "etcd", "coredns"):
        (folder / name).write_text(f"#!{name}\n")
    return folder


def fake_docker(folder: Path, monkeypatch: pytest.MonkeyPatch, label: str, load_fails: bool = False) -> Path:
    """Put a `docker` first on PATH that knows an image with this label and writes down what it is told to load."""
    loaded = folder / "loaded"
    docker = folder / "docker"
    docker.write_text(f"""#!/bin/sh
case "$1" in
  image) echo '{label}' ;;
  load) {"echo no space left >&2; exit 1" if load_fails else f'echo "$@" >> {loaded}'} ;;
esac
""")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return loaded


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cached archive that the node image is loaded from."""
    path = tmp_path / "node-0123456789ab" / "image.tar"
    monkeypatch.setattr(node, "node_archive", lambda *_: path)
    return path


@pytest.mark.usefixtures("archive")
def test_an_engine_that_has_the_image_of_these_builds_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = fake_docker(tmp_path, monkeypatch, label="node-0123456789ab")
    assert node.node_image(*[tmp_path] * 4) == f"dev.local/kindest/node:v{versions.KUBERNETES}"
    assert not loaded.exists(), "loading takes seconds and is not needed"


@pytest.mark.parametrize("label", ["", "node-ba9876543210"])
def test_an_engine_without_it_or_with_an_older_one_gets_the_archive(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    loaded = fake_docker(tmp_path, monkeypatch, label)
    node.node_image(*[tmp_path] * 4)
    assert str(archive) in loaded.read_text()


@pytest.mark.usefixtures("archive")
def test_a_load_that_fails_says_why_and_where_to_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_docker(tmp_path, monkeypatch, label="", load_fails=True)
    with pytest.raises(node.NodeImageError, match=r"(?s)no space left.*df -h"):
        node.node_image(*[tmp_path] * 4)


def test_an_archive_is_made_anew_when_a_binary_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[dict[str, str]] = []

    def built(_name: str, key: dict[str, str], _build: object) -> Path:
        keys.append(key)
        return tmp_path

    monkeypatch.setattr("offline.cache.built", built)
    folder, files = binaries(tmp_path), ROOT_FILES
    for content in ("#!old", "#!old", "#!newer"):
        if (folder / "kubelet").read_text() != content:
            (folder / "kubelet").write_text(content)
        node.node_archive(folder, folder, folder, files)
    assert keys[0] == keys[1] != keys[2]


def test_the_archive_has_the_images_that_kubeadm_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube_images, "_build_pause", lambda target: target.write_text("pause") and target)
    monkeypatch.setattr(kube_images, "slim_root", lambda _debian, target, _keep: target.mkdir())
    folder = tmp_path / "bin"
    folder.mkdir()
    kube_images.write_kube_images(tmp_path / "images.tar", tmp_path, binaries(folder), folder, folder)
    with tarfile.open(tmp_path / "images.tar") as written:
        content = written.extractfile("manifest.json")
        assert content is not None
        names = {entry["RepoTags"][0] for entry in json.load(content)}
    kubernetes = {
        f"registry.k8s.io/kube-{part}:v{versions.KUBERNETES}"
        for part in ("apiserver", "controller-manager", "scheduler", "proxy")
    }
    assert names == kubernetes | {
        f"registry.k8s.io/etcd:{versions.ETCD}-0",
        f"registry.k8s.io/coredns/coredns:v{versions.COREDNS}",
        *(f"registry.k8s.io/pause:{version}" for version in versions.PAUSE),
    }


def test_volumes_lie_where_the_provisioner_puts_them() -> None:
    unit = (ROOT_FILES / "etc/systemd/system/tmp-hostpath_pv.mount").read_text()
    hook = (ROOT_FILES / "kind/bin/open-volumes.sh").read_text()
    assert "Where=/tmp/hostpath_pv\n" in unit, "the folder is fixed in Kubernetes' host-path provisioner"
    assert 'startswith("/tmp/hostpath_pv/")' in hook, "volumes would not be writable for pods that are not root"
    setup = (node.SOURCES / "setup.sh").read_text()
    assert "tmp-hostpath_pv.mount" in setup
    assert "/kind/bin/open-volumes.sh" in setup


def test_the_pod_network_is_valid_and_within_kinds_default() -> None:
    network = json.loads((ROOT_FILES / "etc/cni/net.d/10-ptp.conflist").read_text())
    ptp, portmap = network["plugins"]
    assert (ptp["type"], portmap["type"]) == ("ptp", "portmap")
    assert ptp["ipam"]["ranges"] == [[{"subnet": "10.244.0.0/24"}]]


@pytest.mark.parametrize(
    ("suite", "wanted"),
    [("bookworm", "http://mirror.example/debian/"), ("trixie", "")],
)
def test_the_mirror_is_that_of_apt_for_the_suite(suite: str, wanted: str) -> None:
    listed = (
        "bookworm contrib http://other.example/debian/\nbookworm main http://mirror.example/debian/\n"
        "bookworm-security main http://security.example/\n"
    )
    assert debian_root.mirror_of(listed, suite) == wanted


def test_a_named_mirror_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBIAN_MIRROR", "http://near.example/debian")
    assert debian_root.mirror("bookworm") == "http://near.example/debian"


def test_without_root_a_debian_root_is_refused_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KNATIVE_RELEASES_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(debian_root.DebianRootError, match="needs root on Debian"):
        debian_root.debian_root("probe", ["jq"])
    assert not list(tmp_path.glob("debian-*")), "an unfinished root would pass for a finished one"

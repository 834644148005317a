"""The Go modules and the table of versions agree, and a missing Go is told of in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from offline import go_builds, versions


def go_mod(name: str) -> str:
    return (go_builds.MODULES / name / "go.mod").read_text()


def test_every_module_has_a_program_and_every_program_a_module_with_sums() -> None:
    folders = {path.name for path in go_builds.MODULES.iterdir()}
    assert folders == set(go_builds.PROGRAMS)
    for name in folders:
        assert go_mod(name).startswith(f"module knative-releases/offline/{name}\n")
        assert (go_builds.MODULES / name / "go.sum").stat().st_size > 0, (
            "without sums nothing vouches for what is built"
        )


@pytest.mark.parametrize(
    ("name", "pin"),
    [
        ("pulumi", f"github.com/pulumi/pulumi/pkg/v3 v{versions.PULUMI}"),
        ("pulumi-language-python", f"github.com/pulumi/pulumi/sdk/v3 v{versions.PULUMI_LANGUAGE_PYTHON}"),
        (
            "kubernetes-provider",
            f"github.com/pulumi/pulumi-kubernetes/provider/v4 {versions.KUBERNETES_PROVIDER_MODULE}",
        ),
        ("kind", f"sigs.k8s.io/kind v{versions.KIND}"),
        ("kubernetes", f"k8s.io/kubernetes v{versions.KUBERNETES}"),
        ("etcd", f"go.etcd.io/etcd/server/v3 v{versions.ETCD}"),
        ("coredns", f"github.com/coredns/coredns v{versions.COREDNS}"),
        ("kourier", f"knative.dev/net-kourier {versions.KOURIER_MODULE}"),
        *((f"serving-{release}", f"knative.dev/serving {module}") for release, module in versions.SERVING.items()),
    ],
)
def test_a_module_pins_the_version_of_the_table(name: str, pin: str) -> None:
    assert pin in {line.split(" // ")[0].strip().removeprefix("require ") for line in go_mod(name).splitlines()}


def test_the_provider_says_the_version_of_the_table() -> None:
    main = (go_builds.MODULES / "kubernetes-provider" / "main.go").read_text()
    assert f'"{versions.KUBERNETES_PROVIDER}"' in main, "the engine compares it with the SDK's"


def test_without_go_the_error_says_which_go_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    go_builds.go_version.cache_clear()
    with pytest.raises(go_builds.GoError, match=r"no go command on PATH\. Install Go 1\.\d+"):
        go_builds.binaries("kind")


def test_a_go_that_is_too_old_is_named_with_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "go"
    old.write_text('#!/bin/sh\n[ "$1" = version ] && echo go version go1.19.8 linux/amd64\n[ "$1" = version ]\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    go_builds.go_version.cache_clear()
    with pytest.raises(
        go_builds.GoError, match=r"kind needs Go 1\.\d+.* or newer, and there is: go version go1\.19\.8"
    ):
        go_builds.binaries("kind")

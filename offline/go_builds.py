"""Builds the Go programs: each is a committed module below `offline/go` and a line in `PROGRAMS`.

A module's `go.mod` pins the versions and names the packages to build (as `tool`, or its own main package);
its `go.sum` holds the checksums. Every build runs with `-mod=readonly`: what the committed sums do not vouch for is not
built.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from offline import cache, versions

MODULES: Final = Path(__file__).with_name("go")


class GoError(RuntimeError):
    """The go command is missing or too old; the text says what to do."""


@dataclass(frozen=True, kw_only=True)
class ModuleFiles:
    """Files of a module that a program depends on, by their paths inside the module."""

    module: str
    files: Sequence[str]
    pinned_by: str = ""
    """The program whose go.mod says the module's version, where it is not the one that is built."""


@dataclass(frozen=True, kw_only=True)
class GoProgram:
    """How the module folder of the same name becomes binaries."""

    packages: str = "tool"
    """`tool` for all the tools that go.mod names, `.` for the module's own main package."""
    binary: str = ""
    """The name of the one binary, where it is not that of its package."""
    ldflags: str = "-s -w"
    static: bool = True
    """Without cgo, so that the binary runs in an image that has no libc."""
    embedded: ModuleFiles | None = None
    """Files put beside main.go before the build."""
    beside: Sequence[ModuleFiles] = ()
    """Scripts put beside the binary after the build."""
    patched_module: str = ""
    """A dependency that the `*.patch` files of the folder change before the build."""


def _kubernetes_ldflags() -> str:
    major, minor, _ = versions.KUBERNETES.split(".")
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    stamps = [
        f"-X {package}.gitVersion=v{versions.KUBERNETES} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"
        for package in packages
    ]
    return " ".join(["-s -w", *stamps])


_PULUMI_SDK: Final = "github.com/pulumi/pulumi/sdk/v3"
_KUBERNETES_PROVIDER: Final = "github.com/pulumi/pulumi-kubernetes/provider/v4"

PROGRAMS: Final[Mapping[str, GoProgram]] = {
    "pulumi": GoProgram(
        ldflags=f"-s -w -X {_PULUMI_SDK}/go/common/version.Version={versions.PULUMI}",
        static=False,
    ),
    "pulumi-language-python": GoProgram(
        static=False,
        beside=(
            ModuleFiles(module=_PULUMI_SDK, files=("python/dist/pulumi-resource-pulumi-python",)),
            # The script runs inside the Python SDK, so it is of the SDK's version; the host's own ends a failed
            # update with a traceback.
            ModuleFiles(module=_PULUMI_SDK, files=("python/cmd/pulumi-language-python-exec",), pinned_by="pulumi"),
        ),
    ),
    "kubernetes-provider": GoProgram(
        packages=".",
        binary="pulumi-resource-kubernetes",
        ldflags=f"-s -w -X {_KUBERNETES_PROVIDER}/pkg/version.Version={versions.KUBERNETES_PROVIDER}",
        static=False,
        embedded=ModuleFiles(
            module=_KUBERNETES_PROVIDER,
            files=(
                "cmd/pulumi-resource-kubernetes/schema.json",
                "cmd/pulumi-resource-kubernetes/terraform-mapping.json",
            ),
        ),
    ),
    "command-provider": GoProgram(packages=".", binary="pulumi-resource-command"),
    "kind": GoProgram(static=False),
    "kubernetes": GoProgram(ldflags=_kubernetes_ldflags()),
    "etcd": GoProgram(binary="etcd"),
    "coredns": GoProgram(packages=".", binary="coredns"),
    **{f"serving-{release}": GoProgram() for release in versions.SERVING},
    "kourier": GoProgram(patched_module="knative.dev/net-kourier"),
    # Only the benchmark's hand types it.
    "helm": GoProgram(),
    "conference": GoProgram(packages=".", binary="conference"),
    "hello": GoProgram(packages=".", binary="hello"),
}


def binaries(name: str) -> Path:
    """The folder with the binaries of the program `name` of `PROGRAMS`, built unless the cache has them.

    Raises GoError when Go is missing or too old, and subprocess.CalledProcessError when the build fails; the compiler's
    words are on stderr.
    """
    program, module = PROGRAMS[name], MODULES / name
    key = {"go": go_version(module), "sources": cache.files_digest(module), "program": repr(program)}
    return cache.built(name, key, lambda folder: _build(program, module, folder))


def module_folder(name: str, module: str) -> Path:
    """The unpacked, read-only source of `module` at the version that the go.mod of program `name` pins."""
    go_version(MODULES / name)
    described = _go(["mod", "download", "-json", module], MODULES / name, capture=True)
    return Path(json.loads(described)["Dir"])


def _build(program: GoProgram, module: Path, target: Path) -> None:
    source = target / ".source"
    shutil.copytree(module, source)
    if program.embedded:
        _copy(module.name, program.embedded, source)
    if program.patched_module:
        _patch(module.name, program.patched_module, source)
    output = str(target / program.binary) if program.binary else f"{target}/"
    flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", program.ldflags, "-o", output]
    _go(["build", *flags, program.packages], source, cgo=not program.static)
    for files in program.beside:
        _copy(module.name, files, target)
    shutil.rmtree(source)


def _copy(name: str, wanted: ModuleFiles, target: Path) -> None:
    origin = module_folder(wanted.pinned_by or name, wanted.module)
    for file in wanted.files:
        copied = target / Path(file).name
        shutil.copyfile(origin / file, copied)
        copied.chmod(0o755)


def _patch(name: str, module: str, source: Path) -> None:
    """Let the build use a patched copy of a dependency; `git apply` refuses a patch that does not fit to the letter."""
    patched = source / ".patched"
    shutil.copytree(module_folder(name, module), patched, copy_function=shutil.copyfile)
    for folder in (patched, *(path for path in patched.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    for patch in sorted(source.glob("*.patch")):
        subprocess.run(["git", "apply", "--verbose", str(patch)], cwd=patched, check=True, stdout=2)
    _go(["mod", "edit", f"-replace={module}=./.patched"], source)


@functools.cache
def go_version(module: Path) -> str:
    """The Go that builds this module, or GoError when there is none that can."""
    wanted = next(line.split()[1] for line in (module / "go.mod").read_text().splitlines() if line.startswith("go "))
    remedy = f"Install Go {wanted} or newer (https://go.dev/dl/) and put it on PATH, then run the same command again."
    try:
        return _go(["env", "GOVERSION"], module, capture=True).strip()
    except FileNotFoundError:
        raise GoError(f"There is no go command on PATH. {remedy}") from None
    except subprocess.CalledProcessError:
        found = subprocess.run(["go", "version"], capture_output=True, text=True, cwd="/", check=True).stdout.strip()
        raise GoError(f"{module.name} needs Go {wanted} or newer, and there is: {found}. {remedy}") from None


def _go(arguments: Sequence[str], folder: Path, *, cgo: bool = False, capture: bool = False) -> str:
    settings = {} if cgo else {"CGO_ENABLED": "0"}
    environment = {**os.environ, **settings, "GOFLAGS": "", "GOWORK": "off"}
    ran = subprocess.run(
        ["go", *arguments],
        cwd=folder,
        env=environment,
        check=True,
        text=True,
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.PIPE if capture and arguments[0] == "env" else None,
    )
    return ran.stdout or ""

"""The upstream tools at the versions that the program is tested with, and where they and their checksums are published.

The Python packages of the same versions are pinned in pyproject.toml; a test holds the two together. Why pulumi is not
newer: docs/decisions (pinned engine).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from toolchain import ToolchainError

PULUMI: Final = "3.226.0"
PULUMI_SDK: Final = "3.229.0"
"""The Python package: the first that does not spin while it waits (docs/decisions/0007)."""
KIND: Final = "0.30.0"
# Installed by pulumi itself, for its own platform.
PLUGINS: Final[Mapping[str, str]] = {"kubernetes": "4.25.0", "command": "1.2.1"}

_PULUMI_RELEASE: Final = f"https://github.com/pulumi/pulumi/releases/download/v{PULUMI}"
_KIND_RELEASE: Final = f"https://github.com/kubernetes-sigs/kind/releases/download/v{KIND}"
_SYSTEMS: Final = ("linux", "darwin")
_MACHINES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Download:
    """One published file: a binary, or an archive of binaries (`.tar.gz`)."""

    name: str
    """Of the tool, and of the command where the file is a binary."""
    version: str
    url: str
    checksums_url: str
    """A file with lines of `<sha256>  <file name>`."""

    @property
    def file(self) -> str:
        """The name of the published file."""
        return self.url.rpartition("/")[2]


def downloads(system: str, machine: str) -> tuple[Download, ...]:
    """The files for a platform, named as `platform.system()` and `platform.machine()` do.

    Raises ToolchainError where upstream publishes none.
    """
    architecture = _MACHINES.get(machine.lower())
    if system.lower() not in _SYSTEMS or architecture is None:
        raise ToolchainError(
            f"No releases of the tools for {system} on {machine}; wanted Linux or macOS (Darwin) on x86_64 or arm64. "
            "With your own pulumi, kind and docker: pulumi install && pulumi stack init dev && pulumi up"
        )
    system = system.lower()
    pulumi_platform = f"{system}-{'x64' if architecture == 'amd64' else architecture}"
    kind = f"{_KIND_RELEASE}/kind-{system}-{architecture}"
    return (
        Download(
            "pulumi",
            PULUMI,
            f"{_PULUMI_RELEASE}/pulumi-v{PULUMI}-{pulumi_platform}.tar.gz",
            f"{_PULUMI_RELEASE}/pulumi-{PULUMI}-checksums.txt",
        ),
        Download("kind", KIND, kind, f"{kind}.sha256sum"),
    )

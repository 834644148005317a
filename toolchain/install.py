"""Fills `.local/bin` with the chosen toolchain, and `.local/sources.yaml` where that is the offline one.

`.local/bin` holds links into the cache only. What the other choice left there is taken away once the new tools are in
place: a provider found on PATH goes before an installed plugin, so a stand-in must not lie about where the real one is
used.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from toolchain import ToolchainError, built, pins, steps, upstream
from toolchain.choose import VARIABLE, Choice, choose, wanted
from toolchain.reachable import unreachable, upstream_places
from toolchain.state import Checkout


def install(checkout: Checkout, env: Mapping[str, str], console: Console) -> None:
    """Choose and install, saying which and why; no stack is touched.

    Raises ToolchainError or EngineError, in words for people.
    """
    fill(checkout, env, decide(env, installed(checkout), {}, console), console)


def decide(env: Mapping[str, str], kept: Choice | None, sources: Mapping[str, Any], console: Console) -> Choice:
    """The choice, which is said. `sources`: the stack's own, whose hosts are asked where nothing was chosen before."""

    def missing() -> Sequence[str]:
        found = unreachable(upstream_places(pins.downloads(platform.system(), platform.machine()), sources))
        if found and sources:
            raise ToolchainError(
                f"These do not answer: {', '.join(found)}. The stack's own `sources` name hosts of images and charts, "
                f"the tools come from github.com. To go on all the same: make up {VARIABLE}=upstream; to build the "
                f"tools from package registries: make up {VARIABLE}=offline"
            )
        return found

    choice = choose(wanted(env), kept, missing)
    console.print(f"Toolchain: {choice}.", markup=False, highlight=False)
    return choice


def installed(checkout: Checkout) -> Choice | None:
    """The toolchain whose tools are in `.local/bin`, None where there are none."""
    link = checkout.bin / "pulumi"
    if not link.exists():
        return None
    of_upstream = link.resolve().parent.name.startswith(upstream.CACHE_PREFIX)
    return Choice("upstream" if of_upstream else "offline", "that is what .local/bin has")


def fill(
    checkout: Checkout, env: Mapping[str, str], choice: Choice, console: Console, *, compiling: bool = True
) -> None:
    """Make `.local/bin` hold this choice; nothing outside is asked where all of it is on this machine.

    compiling: False fails where the offline tools would have to be compiled. Raises ToolchainError or EngineError.
    """
    if choice.sources == "upstream":
        _upstream(checkout, env, console)
    else:
        built.build(checkout, env, console, compiling=compiling)
        _unlink_upstream(checkout.bin)


def _upstream(checkout: Checkout, env: Mapping[str, str], console: Console) -> None:
    binaries: list[Path] = []
    for download in pins.downloads(platform.system(), platform.machine()):
        folder = upstream.kept(download)
        if not folder.is_dir():
            with steps.step(console, f"{download.name} {download.version}"):
                folder = upstream.fetch(download, console)
        binaries += folder.iterdir()
    pulumi = next(binary for binary in binaries if binary.name == "pulumi")
    for name, version in pins.PLUGINS.items():
        if not _has_plugin(env, name, version):
            with steps.step(console, f"pulumi's provider for {name} {version}"):
                if steps.run([str(pulumi), "plugin", "install", "resource", name, version], checkout.root, env):
                    raise ToolchainError(f"The provider could not be installed. {upstream.OTHER_WAY}")
    link_only(checkout.bin, binaries)


def _has_plugin(env: Mapping[str, str], name: str, version: str) -> bool:
    """Whether Pulumi has the provider; beside one that it has not installed to the end, it leaves a mark."""
    home = Path(env.get("PULUMI_HOME") or Path(env.get("HOME") or Path.home()) / ".pulumi")
    folder = home / "plugins" / f"resource-{name}-v{version}"
    return folder.is_dir() and not folder.with_name(f"{folder.name}.partial").exists()


def link_only(folder: Path, binaries: list[Path]) -> None:
    """Make the folder hold links to just these files, each put in place at once; running programs are not disturbed."""
    folder.mkdir(parents=True, exist_ok=True)
    for binary in binaries:
        link = folder / binary.name
        if link.is_symlink() and link.readlink() == binary:
            continue
        fresh = folder / f".{binary.name}.fresh"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(binary)
        fresh.replace(link)
    for link in set(folder.iterdir()) - {folder / binary.name for binary in binaries}:
        link.unlink()


def _unlink_upstream(folder: Path) -> None:
    for link in folder.iterdir() if folder.is_dir() else ():
        if link.resolve().parent.name.startswith(upstream.CACHE_PREFIX):
            link.unlink()

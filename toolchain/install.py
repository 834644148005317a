"""Fills `.local/bin` with the chosen toolchain, and `.local/sources.yaml` where that is the offline one.

`.local/bin` holds links into the cache only. What the other choice left there is taken away: a provider found on PATH
goes before an installed plugin, so a stand-in must not lie about where the real one is used.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from offline import engine, versions
from toolchain import ToolchainError, pins, steps, upstream
from toolchain.choose import VARIABLE, Choice, choose
from toolchain.reachable import unreachable, upstream_places
from toolchain.state import Checkout

KNATIVE = "KNATIVE"
"""Environment variable that names a release of Knative Serving to build offline, beside the default one."""


def install(checkout: Checkout, env: Mapping[str, str], console: Console) -> Choice:
    """Choose and install, saying which and why. Raises ToolchainError or EngineError, in words for people."""
    choice = choose(
        env.get(VARIABLE),
        lambda: unreachable(upstream_places(pins.downloads(platform.system(), platform.machine()))),
    )
    console.print(f"Toolchain: {choice}.", markup=False, highlight=False)
    if choice.sources == "upstream":
        _upstream(checkout, env, console)
    else:
        _offline(checkout, env, console)
    return choice


def _upstream(checkout: Checkout, env: Mapping[str, str], console: Console) -> None:
    binaries: list[Path] = []
    for download in pins.downloads(platform.system(), platform.machine()):
        with steps.step(console, f"{download.name} {download.version}"):
            binaries += upstream.fetch(download, console).iterdir()
    link_only(checkout.bin, binaries)
    checkout.sources.unlink(missing_ok=True)
    for name, version in pins.PLUGINS.items():
        with steps.step(console, f"pulumi's provider for {name} {version}"):
            command = [str(checkout.bin / "pulumi"), "plugin", "install", "resource", name, version]
            if steps.run(command, checkout.root, env):
                raise ToolchainError(f"The provider could not be installed. {upstream.OTHER_WAY}")


def _offline(checkout: Checkout, env: Mapping[str, str], console: Console) -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise ToolchainError(
            f"Only Linux on x86_64 can build offline; this is {platform.system()} on {platform.machine()}. "
            f"Give it access to the releases and image registries: make up {VARIABLE}=upstream"
        )
    with steps.step(console, "Docker"):
        engine.ensure_running(checkout.engine)
    _unlink_upstream(checkout.bin)
    release = _release(env)
    for knative in (None, release) if release else (None,):
        command = [sys.executable, "-m", "offline", "build", "--bin", str(checkout.bin)]
        command += ["--sources", str(checkout.sources_of(knative)), *(["--knative", knative] if knative else [])]
        with steps.step(console, f"offline build{f' with Knative {knative}' if knative else ''}"):
            if steps.run(command, checkout.root, env):
                raise ToolchainError(
                    "The offline build failed, see above. What is done is kept: run the same command again."
                )


def _release(env: Mapping[str, str]) -> str | None:
    """The release of Knative Serving that is asked for; None for the default. Raises ToolchainError for another one."""
    release = env.get(KNATIVE)
    if not release:
        return None
    default, *others = versions.SERVING
    if release not in others:
        raise ToolchainError(
            f"{KNATIVE}={release} given; wanted {' or '.join(others)}, or nothing for {default}. "
            f"For example: make install {KNATIVE}={others[-1]}"
        )
    return release


def link_only(folder: Path, binaries: list[Path]) -> None:
    """Make the folder hold links to just these files, each put in place at once; running programs are not disturbed."""
    folder.mkdir(parents=True, exist_ok=True)
    for binary in binaries:
        fresh = folder / f".{binary.name}.fresh"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(binary)
        fresh.replace(folder / binary.name)
    for link in set(folder.iterdir()) - {folder / binary.name for binary in binaries}:
        link.unlink()


def _unlink_upstream(folder: Path) -> None:
    for link in folder.iterdir() if folder.is_dir() else ():
        if link.resolve().parent.name.startswith(upstream.CACHE_PREFIX):
            link.unlink()

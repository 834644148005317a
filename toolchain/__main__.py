"""The command line behind make: `python -m toolchain install|up|preview|down|status`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from offline.engine import EngineError
from toolchain import ToolchainError, verbs
from toolchain.install import install
from toolchain.state import Checkout, environment


def _install(checkout: Checkout, environ: Mapping[str, str], console: Console) -> int:
    """Choose and install the tools into .local/bin; no stack is touched."""
    install(checkout, environment(checkout, environ), console)
    return 0


VERBS: Mapping[str, Callable[[Checkout, Mapping[str, str], Console], int]] = {
    "install": _install,
    "up": verbs.up,
    "preview": verbs.preview,
    "down": verbs.down,
    "status": verbs.status,
}


def main(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m toolchain", description=__doc__)
    commands = parser.add_subparsers(dest="verb", required=True)
    for name, verb in VERBS.items():
        commands.add_parser(name, help=(verb.__doc__ or "").splitlines()[0])
    verb = VERBS[parser.parse_args(arguments).verb]
    try:
        return verb(Checkout(Path(__file__).resolve().parents[1]), os.environ, Console(soft_wrap=True))
    except (ToolchainError, EngineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

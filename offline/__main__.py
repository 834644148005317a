"""The command line: `python -m offline build --bin DIR --sources FILE` builds everything from package registries.

`--only NAME ...` builds just these steps and what they need, into the cache. `step NAME` is what the build runs inside.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from offline import go_builds, sources, steps, versions
from offline.build import StepError, run_steps


def main(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code."""
    given = _parser().parse_args(arguments)
    if given.command == "step":
        return _step(given.name)
    try:
        run_steps(given.only or steps.of_release(given.knative))
        if given.bin:
            link_commands(given.bin, [name for name in steps.COMMANDS if not given.only or name in given.only])
        if given.sources and not given.only:
            sources.write(given.sources, given.knative)
    except StepError as error:
        again = shlex.join(["python", "-m", "offline", *arguments])
        print(f"{error}\nTo go on where it stopped: {again}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. What is done is kept; the same command goes on from there.", file=sys.stderr)
        return 130
    return 0


def link_commands(folder: Path, names: Sequence[str]) -> None:
    """Put a link to each binary of these programs into `folder`, in the place of an earlier one."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        for binary in sorted(go_builds.binaries(name).iterdir()):
            fresh = folder / f".{binary.name}.fresh"
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(binary)
            fresh.replace(folder / binary.name)


def _step(name: str) -> int:
    """Run one step; its errors for people come as the last lines of what it says, without a traceback."""
    try:
        steps.STEPS[name].run()
    except subprocess.CalledProcessError as error:
        print(f"exit code {error.returncode} of: {shlex.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m offline", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build everything, or what --only names")
    build.add_argument("--only", nargs="+", choices=list(steps.STEPS), metavar="NAME", help=", ".join(steps.STEPS))
    build.add_argument("--bin", type=Path, metavar="DIR", help="where links to the commands go")
    build.add_argument("--sources", type=Path, metavar="FILE", help="the sources file to write; not with --only")
    releases = list(versions.SERVING)
    build.add_argument("--knative", choices=releases, default=releases[0], help="the release of Knative Serving")
    step = commands.add_parser("step", help="run one step here, without its needs")
    step.add_argument("name", choices=list(steps.STEPS), metavar="NAME")
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the steps in progress end with the build
    sys.exit(main(sys.argv[1:]))

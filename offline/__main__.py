"""The command line: `python -m offline build --bin DIR --sources FILE` builds everything from package registries.

`--only NAME ...` builds just these steps and what they need, into the cache. `--from-cache` compiles nothing: it fails
where an earlier build was not completed. `needs` says what this machine lacks for a build. `step NAME` is what the
build runs inside.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from offline import go_builds, needs, sources, steps, versions
from offline.build import StepError, run_steps


def main(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code."""
    given = _parser().parse_args(arguments)
    if given.command == "step":
        return _step(given.name)
    if given.command == "needs":
        return _needs(given.knative)
    try:
        return _build(given)
    except StepError as error:
        again = shlex.join(["python", "-m", "offline", *arguments])
        print(f"{error}\nTo go on where it stopped: {again}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. What is done is kept; the same command goes on from there.", file=sys.stderr)
        return 130


def _build(given: argparse.Namespace) -> int:
    """Build, link and write what is asked for; 1 where nothing may be compiled, or this machine cannot."""
    if given.only:
        run_steps(given.only)
        if given.bin:
            link_commands(given.bin, [name for name in steps.COMMANDS if name in given.only])
        return 0
    complete = needs.complete(given.knative)
    if given.from_cache and not complete.exists():
        print("The cache does not hold a complete build.", file=sys.stderr)
        return 1
    if _needs(given.knative):
        return 1
    run_steps(steps.of_release(given.knative))
    if given.bin:
        link_commands(given.bin, steps.COMMANDS)
    if given.sources:
        sources.write(given.sources, given.knative)
    complete.parent.mkdir(parents=True, exist_ok=True)
    complete.touch()
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


def _needs(release: str) -> int:
    """Say everything that this machine lacks for a build; 0 where nothing is lacking, or all of it is in the cache."""
    if needs.complete(release).exists():
        return 0
    lacking = list(needs.lacking(needs.this_machine()))
    if lacking:
        print("The offline build cannot run on this machine:", *lacking, sep="\n  - ", file=sys.stderr)
    return 1 if lacking else 0


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
    build.add_argument("--from-cache", action="store_true", help="compile nothing: an earlier build was completed")
    needed = commands.add_parser("needs", help="what this machine lacks for a build that is not in the cache")
    releases = list(versions.SERVING)
    for command in (build, needed):
        command.add_argument("--knative", choices=releases, default=releases[0], help="the release of Knative Serving")
    step = commands.add_parser("step", help="run one step here, without its needs")
    step.add_argument("name", choices=list(steps.STEPS), metavar="NAME")
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the steps in progress end with the build
    sys.exit(main(sys.argv[1:]))

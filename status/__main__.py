"""`python -m status`: the releases of the stack as a tree, once or again and again; `--json` for scripts."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from status import StatusError
from status.model import Status
from status.picture import Pictures
from status.state import document, state
from status.tree import tree
from toolchain.state import stack_name

REQUESTS, MOST_REQUESTS = 40, 1000
SECONDS, MOST_SECONDS = 5, 600
EVERY_SECONDS = 2.0
NOT_WELL = 3
"""Exit code; 1 is for an error, 2 for a command line that is none."""
PLAIN_WIDTH = 10_000
"""Where the output is no terminal no line is broken."""


def watch(console: Console, picture: Callable[[], Status]) -> None:
    """Show the releases again and again until ctrl-C. What fails after the first picture is shown in its place."""
    drawn: RenderableType = _drawn(picture())
    if not console.is_terminal:
        while True:
            console.print(drawn)
            drawn = _next(picture)
    with Live(drawn, console=console, auto_refresh=False) as live:
        while True:
            live.update(_next(picture), refresh=True)


def _next(picture: Callable[[], Status]) -> RenderableType:
    time.sleep(EVERY_SECONDS)
    try:
        return _drawn(picture())
    except StatusError as error:
        return Text(f"error: {error}", "red")


def _drawn(status: Status) -> RenderableType:
    return tree(status, datetime.now(UTC))


def _number(text: str, most: int) -> int:
    if not text.isdecimal() or int(text) > most:
        raise argparse.ArgumentTypeError(f"{text} given, a number from 0 to {most} wanted")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m status", description=__doc__)
    parser.add_argument("--stack", default=stack_name(os.environ), help="default: PULUMI_STACK, else dev")
    parser.add_argument(
        "--requests",
        type=lambda text: _number(text, MOST_REQUESTS),
        default=REQUESTS,
        metavar="N",
        help=f"requests to each service that has an info path and pods, 0 for none (default {REQUESTS})",
    )
    parser.add_argument(
        "--seconds",
        type=lambda text: _number(text, MOST_SECONDS),
        default=SECONDS,
        metavar="N",
        help="how long the requests of users at the gateway are counted, for the services without an info path; 0 for "
        f"not at all (default {SECONDS}; with --watch, since the beginning)",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="one JSON document")
    how.add_argument("--watch", action="store_true", help=f"again every {EVERY_SECONDS:g} s, until ctrl-C")
    parser.add_argument(
        "--exit-code", action="store_true", help=f"end with {NOT_WELL} where a service is not well; not with --watch"
    )
    return parser


def _given(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.watch and given.exit_code:
        parser.error("--exit-code is for one picture: leave out --watch")
    return given


def main(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code."""
    given = _given(arguments)
    console = Console()
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    pictures = Pictures(given.stack, os.environ, given.requests, given.seconds, watching=given.watch)
    try:
        if given.watch:
            watch(console, pictures.read)
        status = pictures.read()
        if given.json:
            print(json.dumps(document(status), default=datetime.isoformat, indent=2))
        else:
            console.print(_drawn(status))
    except StatusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0 if given.watch else 130  # the way to end watching
    ill = [service.name for service in status.services if state(service) != "well"]
    return NOT_WELL if given.exit_code and ill else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

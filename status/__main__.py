"""`python -m status`: the releases of the stack as a tree, once or again and again; `--json` for scripts."""

from __future__ import annotations

import argparse
import dataclasses
import functools
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
from status.picture import read
from status.tree import tree
from toolchain.state import stack_name

REQUESTS, MOST_REQUESTS = 40, 1000
EVERY_SECONDS = 2.0
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


def _requests(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST_REQUESTS:
        raise argparse.ArgumentTypeError(f"{text} given, a number from 0 to {MOST_REQUESTS} wanted")
    return int(text)


def main(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m status", description=__doc__)
    parser.add_argument("--stack", default=stack_name(os.environ), help="default: PULUMI_STACK, else dev")
    parser.add_argument(
        "--requests",
        type=_requests,
        default=REQUESTS,
        metavar="N",
        help=f"requests to each service that has pods, 0 for none (default {REQUESTS})",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="one JSON document")
    how.add_argument("--watch", action="store_true", help=f"again every {EVERY_SECONDS:g} s, until ctrl-C")
    given = parser.parse_args(arguments)
    console = Console()
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    picture = functools.partial(read, given.stack, os.environ, given.requests, watching=given.watch)
    try:
        if given.watch:
            watch(console, picture)
        elif given.json:
            print(json.dumps(dataclasses.asdict(picture()), default=datetime.isoformat, indent=2))
        else:
            console.print(_drawn(picture()))
    except StatusError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass  # the way to end watching
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

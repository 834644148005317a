"""`rollout start|status|pause|resume|promote|abort|report`: guided rollouts of a service of the stack."""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from analysis import AnalysisError
from analysis.checks import check
from analysis.history import Event
from analysis.report.__main__ import main as report
from analysis.sources import source
from rollout import RolloutError, commands
from rollout.commands import Place
from rollout.options import chosen, parser
from rollout.picture import Picture, tree
from rollout.ports import View
from rollout.stack import Stack
from rollout.stopped import Stopped, listen
from rollout.views import Journal, JsonLines, Lines, Screen
from rollout.wishes import Wish
from settings.rollouts import Rollout
from status import StatusError
from toolchain.state import Checkout, environment

ROLLED_BACK, WAITS = 3, 4
"""Exit codes: the service is as before; a person has to decide."""
PLAIN_WIDTH = 10_000


def place(given: argparse.Namespace, environ: Mapping[str, str]) -> Place:
    """Where a command line's rollout happens."""
    checkout = Checkout(Path(__file__).resolve().parents[1])
    env = environment(checkout, environ)
    return Place(
        service=given.service,
        stack=given.stack,
        project=checkout.root,
        folder=folder(env["PULUMI_BACKEND_URL"], checkout),
        environ=env,
        temporary=Path(env.get("TMPDIR") or tempfile.gettempdir()),
        view=functools.partial(view, as_json=given.json),
        source=source,
        check=check,
    )


def folder(backend: str, checkout: Checkout) -> Path:
    """Where lock and histories are: beside the state, so that two checkouts of one state share them; in the checkout,
    where the state is not on this machine. The home folder's state (`file://~`) is its `.pulumi`, as Pulumi has it.
    """
    if not backend.startswith("file://"):
        return checkout.state.parent / "rollouts"
    given = Path(backend.removeprefix("file://").partition("?")[0]).expanduser()
    state = (checkout.root / given).resolve()  # pulumi runs in the checkout
    return (state / ".pulumi" if state == Path.home().resolve() else state.parent) / "rollouts"


def view(exits: ExitStack, events: Iterable[Event], as_json: bool) -> View:
    """A tree that changes where somebody looks, else lines."""
    if as_json:
        return JsonLines(sys.stdout)
    console = Console()
    return exits.enter_context(Screen(console, events)) if console.is_terminal else Lines(sys.stdout)


def status(where: Place, as_json: bool) -> int:
    """The rollout as the settings want it, and as the last update has it."""
    wanted = commands.current(where)
    reached = Stack(where.stack, where.project, where.environ, print).outputs().get("rollouts", {}).get(where.service)
    if as_json:
        print(json.dumps({"wanted": wanted.exported() if wanted else None, "reached": reached}, indent=2))
        return 0
    if not wanted or not wanted.state:
        print(f"No rollout of {where.service} was started.")
        return 0
    console = Console()
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(tree(Picture.of(Journal(where.folder, wanted.state.id).events())))
    state = wanted.state
    console.print(f"{state.phase}{f', paused: {state.paused}' if state.paused else ''}", markup=False, highlight=False)
    if (reached or {}).get("state") != wanted.exported()["state"]:  # a plan may be edited after an end
        console.print(f"The last update has another state than the settings: rollout resume {where.service}")
    return 0


def _say(text: str) -> None:
    """Tell a person; that nobody reads it any more changes nothing."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _told(rollout: Rollout, service: str) -> int:
    """Say what comes next; the exit code."""
    state = rollout.progress
    if state.paused:
        _say(
            f"Paused: {state.paused}. rollout resume {service} observes the step anew, rollout promote {service} goes "
            f"on, rollout abort {service} goes back."
        )
        return WAITS
    if state.phase == "promoted":
        return 0
    _say(f"{state.phase}: {state.reason}")
    return ROLLED_BACK


def _start(where: Place, given: argparse.Namespace) -> int:
    return _told(commands.start(where, chosen(given), given.set or ()), given.service)


def _report(where: Place, given: argparse.Namespace) -> int:
    rollout = commands.current(where)
    if not rollout or not rollout.state:
        raise RolloutError(f"No rollout of {where.service} was started, so there is no history of one.")
    options = [f"--{name}={file}" for name in ("html", "markdown") if (file := getattr(given, name))]
    return report([str(Journal(where.folder, rollout.state.id).file), *options])


def _wish(where: Place, given: argparse.Namespace) -> int:
    wanted = Wish(given.service, given.verb, getattr(given, "full", False))
    done = commands.wish(where, wanted, _say, getattr(given, "force", False))
    if done is None:
        _say(f"The process that drives the rollout does it: {given.verb}.")
        return 0
    code = _told(done, given.service)
    return 0 if (given.verb, code) in (("abort", ROLLED_BACK), ("pause", WAITS)) else code


VERBS: Mapping[str, Callable[[Place, argparse.Namespace], int]] = {
    "start": _start,
    "status": lambda where, given: status(where, given.json),
    "pause": _wish,
    "resume": lambda where, given: _told(commands.resume(where, given.overwrite), given.service),
    "promote": _wish,
    "abort": _wish,
    "report": _report,
}


def main(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code: 0, 1 for an error, 3 where the service is as before, 4 where a person
    has to decide, 130 and 143 after ctrl-C and SIGTERM.
    """
    given = parser().parse_args(arguments)
    listen(lambda: _say("The terminal is closed (SIGHUP): the rollout goes on."))
    try:
        # The Kubernetes provider leaves a kubeconfig (closed to others) in each update's folder for temporary files.
        with tempfile.TemporaryDirectory(prefix="knative-releases-", ignore_cleanup_errors=True) as temporary:
            return VERBS[given.verb](place(given, {**os.environ, "TMPDIR": temporary}), given)
    except (RolloutError, AnalysisError, StatusError) as error:
        _say(f"error: {error}")
        return 1
    except Stopped as stopped:
        left = f" at: {stopped.left}" if stopped.left else ""
        _say(
            f"Stopped by {stopped.name}. Nobody drives the rollout of {given.service} any more, and it stays{left}. "
            f"To go on: rollout resume {given.service}. To go back: rollout abort {given.service}"
        )
        return stopped.code


def leave(code: int) -> int:
    """The exit code, also where nobody reads the output any more: Python's own last flush would make another of it."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


if __name__ == "__main__":
    sys.exit(leave(main(sys.argv[1:])))

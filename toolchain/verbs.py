"""The verbs behind make: each prepares what pulumi needs, then runs it in the foreground."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from rich.console import Console

from offline import engine
from toolchain import ToolchainError, steps
from toolchain.choose import Choice
from toolchain.install import install
from toolchain.state import Checkout, environment, prepare, stack_name

SOURCES_KEY = "knative-releases:sources"
PROJECT = "knative-releases"


def up(checkout: Checkout, environ: Mapping[str, str], console: Console) -> int:
    """Everything that the environment needs, then the environment; the exit code of `pulumi up`."""
    env = _stack(checkout, environ, console)
    return _foreground(checkout, env, "up", "--yes", "--skip-preview")


def preview(checkout: Checkout, environ: Mapping[str, str], console: Console) -> int:
    """What `up` would change; the exit code of `pulumi preview`."""
    env = _stack(checkout, environ, console)
    return _foreground(checkout, env, "preview")


def down(checkout: Checkout, environ: Mapping[str, str], console: Console) -> int:
    """Destroy what the stack has, then stop the Docker engine if one was started for this checkout.

    Does nothing, and succeeds, where there is nothing. When the destruction fails the engine stays, for another try.
    """
    env = environment(checkout, environ)
    if not _has_state(checkout, env):
        console.print("Nothing to destroy: there is no stack.")
    else:
        if not shutil.which("pulumi", path=env["PATH"]):
            install(checkout, env, console)
        if _resource_count(checkout, env):
            if checkout.engine.is_dir():
                engine.ensure_running(checkout.engine)
            code = _foreground(checkout, env, "destroy", "--yes", "--skip-preview")
            if code:
                return code
        else:
            console.print(f"Nothing to destroy: the stack {stack_name(env)} has no resources.")
    with steps.step(console, "Docker stops, if it was started here"):
        engine.stop(checkout.engine)
    return 0


def status(checkout: Checkout, environ: Mapping[str, str], console: Console) -> int:
    """Whether Docker answers, and the releases; again and again until ctrl-C where WATCH is set."""
    env = environment(checkout, environ)
    console.print(engine.status(checkout.engine), markup=False, highlight=False)
    pulumi = shutil.which("pulumi", path=env["PATH"])
    if not _has_state(checkout, env) or not pulumi or not _resource_count(checkout, env):
        console.print("No stack yet: make up")
        return 0
    watch = ["--watch"] if environ.get("WATCH") else []
    return steps.run([sys.executable, "-m", "status", "--stack", stack_name(env), *watch], checkout.root, env)


def _stack(checkout: Checkout, environ: Mapping[str, str], console: Console) -> dict[str, str]:
    """Install the tools, make the stack if it is not there, and point its sources to the right place."""
    env = environment(checkout, environ)
    prepare(checkout, env)
    choice = install(checkout, env, console)
    _pulumi(checkout, env, "stack", "select", "--create", stack_name(env))
    point_sources(checkout, env, choice)
    return env


def point_sources(checkout: Checkout, env: Mapping[str, str], choice: Choice) -> None:
    """Name the offline sources file in the stack's configuration, or take away just that name; other values stay."""
    ours = str(checkout.sources.relative_to(checkout.root))
    settings = json.loads(_pulumi(checkout, env, "config", "--json", "--stack", stack_name(env)) or "{}")
    given = settings.get(SOURCES_KEY, {}).get("value")
    stack = ("--stack", stack_name(env))
    if choice.sources == "offline" and given is None:
        _pulumi(checkout, env, "config", "set", SOURCES_KEY, ours, *stack)
    elif choice.sources == "upstream" and given == ours:
        _pulumi(checkout, env, "config", "rm", SOURCES_KEY, *stack)


def _has_state(checkout: Checkout, env: Mapping[str, str]) -> bool:
    """Whether the backend may know the stack; a backend of the user's own is asked later."""
    if env["PULUMI_BACKEND_URL"] != checkout.backend:
        return True
    return (checkout.state / ".pulumi" / "stacks" / PROJECT / f"{stack_name(env)}.json").exists()


def _resource_count(checkout: Checkout, env: Mapping[str, str]) -> int:
    stacks = json.loads(_pulumi(checkout, env, "stack", "ls", "--json"))
    return sum(int(stack.get("resourceCount") or 0) for stack in stacks if stack["name"] == stack_name(env))


def _foreground(checkout: Checkout, env: Mapping[str, str], *arguments: str) -> int:
    """Run a pulumi command on the stack in the foreground; its exit code.

    Its temporary files go with it: the Kubernetes provider leaves a kubeconfig in each run (closed to others).
    """
    with tempfile.TemporaryDirectory(prefix="knative-releases-", ignore_cleanup_errors=True) as folder:
        command = ["pulumi", *arguments, "--stack", stack_name(env)]
        return steps.run(command, checkout.root, {**env, "TMPDIR": folder})


def _pulumi(checkout: Checkout, env: Mapping[str, str], *arguments: str) -> str:
    """The output of a short pulumi command. Raises ToolchainError with what it said when it fails."""
    command = ["pulumi", "--non-interactive", *arguments]
    done = subprocess.run(command, cwd=checkout.root, env=dict(env), text=True, capture_output=True, check=False)
    if done.returncode:
        raise ToolchainError(f"`{' '.join(command)}` ended with {done.returncode}:\n{done.stderr.strip()}")
    return done.stdout

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
from toolchain import ToolchainError, docker, steps
from toolchain.choose import Choice, wanted
from toolchain.install import decide, fill, installed
from toolchain.stack import SOURCES_KEY, Stack, refuse_change
from toolchain.state import Checkout, bare, environment, prepare, stack_name


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
    count = _resource_count(checkout, env)
    if count is None:
        _tools_to_destroy(checkout, env, console)
        count = _resource_count(checkout, env)
    if count:
        if checkout.engine.is_dir():
            engine.ensure_running(checkout.engine)
        if not shutil.which("pulumi", path=env["PATH"]):
            _tools_to_destroy(checkout, env, console)
        code = _foreground(checkout, env, "destroy", "--yes", "--skip-preview")
        if code:
            return code
    else:
        console.print(f"Nothing to destroy: the stack {stack_name(env)} has no resources.")
    with steps.step(console, "Docker stops, if it was started here"):
        engine.stop(checkout.engine)
    return 0


def _tools_to_destroy(checkout: Checkout, env: Mapping[str, str], console: Console) -> None:
    """Install the tools, but compile none: it takes longer than all that they are needed for."""
    stack = Stack(checkout, env)
    try:
        fill(checkout, env, decide(env, stack.kept(), stack.sources(), console), console, compiling=False)
    except ToolchainError as error:
        delete = f"docker rm --force --volumes {stack.cluster_name}-control-plane"
        raise ToolchainError(
            f"{error}\n  to have the tools again: make install && make down"
            + (f"\n  to delete its cluster at once: {delete}" if stack.needs_docker else "")
        ) from None


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
    """Install the tools, make the stack if it is not there, and keep where its sources come from."""
    env = environment(checkout, environ)
    prepare(checkout, env)
    stack, asked = Stack(checkout, env), wanted(env)
    kept = stack.kept()
    if kept is None and stack.own_sources is None and _resource_count(checkout, env):
        kept = stack.as_made()
    if kept and asked not in (None, kept.sources) and (living := _resource_count(checkout, env)):
        refuse_change(stack, kept, living)
    choice = decide(env, kept or installed(checkout), stack.sources(), console)
    if choice.sources == "upstream" and stack.needs_docker and (problem := docker.problem(env)):
        raise ToolchainError(problem)
    fill(checkout, env, choice, console)
    _pulumi(checkout, env, "stack", "select", "--create", stack_name(env))
    if stack.own_sources is None:
        _keep(checkout, env, stack, kept or stack.as_made(), choice)
    return env


def _keep(checkout: Checkout, env: Mapping[str, str], stack: Stack, kept: Choice, choice: Choice) -> None:
    """Record where the stack's sources come from: as chosen, but as `kept` where it has resources that were made so.

    They were counted before, unless pulumi was not there yet. Raises ToolchainError where another choice was asked for.
    """
    if choice.sources != kept.sources and (living := _resource_count(checkout, env)):
        if wanted(env):
            refuse_change(stack, kept, living)
        choice = kept
    if not stack.names_offline_build:
        stack.record(choice.sources)
    elif choice.sources == "upstream":
        _pulumi(checkout, env, "config", "rm", SOURCES_KEY, "--stack", stack_name(env))
        stack.record(choice.sources)


def _has_state(checkout: Checkout, env: Mapping[str, str]) -> bool:
    """Whether the backend may know the stack; a backend of the user's own is asked later."""
    if env["PULUMI_BACKEND_URL"] != checkout.backend:
        return True
    return checkout.state_of(stack_name(env)).exists()


def _resource_count(checkout: Checkout, env: Mapping[str, str]) -> int | None:
    """How many resources the stack has; None for a backend of the user's own, while pulumi is not there to ask."""
    if not _has_state(checkout, env):
        return 0
    if not shutil.which("pulumi", path=env["PATH"]):
        return checkout.resources_of(stack_name(env)) if env["PULUMI_BACKEND_URL"] == checkout.backend else None
    stacks = json.loads(_pulumi(checkout, env, "stack", "ls", "--json"))
    named = (stack for stack in stacks if bare(stack["name"]) == bare(stack_name(env)))
    return sum(int(stack.get("resourceCount") or 0) for stack in named)


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

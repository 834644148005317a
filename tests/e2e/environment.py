"""The environment that the end-to-end tests use: a stack, a cluster and a port of their own, driven by the real CLI.

Its state lives in the user's cache, not in the checkout, so that a later run (from another clone too) finds what a
broken
one left, and destroys just that.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = PROJECT / ".local" / "sources.yaml"
UP_SECONDS = 900


class CommandError(AssertionError):
    """A command of a test failed; the message is its whole output."""


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Environment:
    """One stack of the project with its own backend, passphrase, cluster name and port."""

    def __init__(self, name: str, home: Path) -> None:
        """
        name: of the stack and of the cluster.
        home: folder that keeps backend, passphrase and Pulumi home between runs.
        """
        self.name, self.home, self.port = name, home, free_port()
        self.settings: dict[str, Any] = {}
        self.common: dict[str, Any] = {}
        """Settings of every configuration."""
        (home / "state").mkdir(parents=True, exist_ok=True)
        self._lock = open(home / "lock", "w")  # noqa: SIM115 - held as long as the environment is
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        passphrase = home / "passphrase"
        if not passphrase.exists():
            passphrase.touch(0o600)
            passphrase.write_text(secrets.token_urlsafe(24))
        self.env = {
            **os.environ,
            "PULUMI_HOME": str(home / "pulumi"),
            "PULUMI_BACKEND_URL": f"file://{home / 'state'}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "KUBECONFIG": str(home / "no-kubeconfig"),
        }

    @property
    def node(self) -> str:
        """The container of the cluster's node."""
        return f"{self.name}-control-plane"

    def run(self, *command: str, seconds: float = UP_SECONDS, check: bool = True, stdin: str | None = None) -> str:
        """Output of a command in the project's folder. Raises CommandError with all of it where it fails."""
        done = subprocess.run(
            command,
            cwd=PROJECT,
            env=self.env,
            text=True,
            timeout=seconds,
            check=False,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if check else subprocess.PIPE,
        )
        if check and done.returncode:
            raise CommandError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def pulumi(self, *arguments: str) -> str:
        """Output of a pulumi command on this stack."""
        return self.run("pulumi", "--non-interactive", "--stack", self.name, *arguments)

    def configure(self, services: Mapping[str, Any] | str | None = None, **settings: Any) -> None:
        """Write the stack's whole configuration: this environment's cluster and sources, and the given settings.

        services: the setting of that name: a mapping, or a file or folder.
        """
        self.settings = {
            "cluster": {"name": self.name, "httpPort": self.port},
            **({"sources": str(SOURCES)} if SOURCES.exists() else {}),
            **self.common,
            **settings,
            "services": services or {},
        }
        file = PROJECT / f"Pulumi.{self.name}.yaml"
        kept = yaml.safe_load(file.read_text()) if file.exists() else {}
        salt = {key: value for key, value in kept.items() if key != "config"}
        config = {f"knative-releases:{key}": value for key, value in self.settings.items()}
        file.write_text(yaml.safe_dump({**salt, "config": config}, sort_keys=False))

    def select(self) -> None:
        """Make the stack if it is not there."""
        self.run("pulumi", "--non-interactive", "stack", "select", "--create", self.name)

    def up(self, *arguments: str) -> str:
        """`pulumi up`; its output."""
        return self.pulumi("up", "--yes", "--skip-preview", *arguments)

    def destroy(self) -> str:
        """`pulumi destroy`; its output."""
        return self.pulumi("destroy", "--yes", "--skip-preview")

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, without secrets."""
        outputs: dict[str, Any] = json.loads(self.pulumi("stack", "output", "--json"))
        return outputs

    def resources(self) -> list[dict[str, Any]]:
        """The resources in the state."""
        deployment = json.loads(self.pulumi("stack", "export"))["deployment"]
        found: list[dict[str, Any]] = deployment.get("resources", [])
        return found

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Output of kubectl, run inside the node, where every kind node has it."""
        interactive = ["-i"] if stdin is not None else []
        return self.run(
            "docker",
            "exec",
            *interactive,
            self.node,
            "kubectl",
            "--kubeconfig=/etc/kubernetes/admin.conf",
            *arguments,
            seconds=120,
            stdin=stdin,
        )

    def get(self, kind: str, *arguments: str) -> list[dict[str, Any]]:
        """The objects of a kind in the namespace default, as kubectl lists them."""
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", kind, "-o", "json", *arguments))["items"]
        return items

    def containers(self) -> list[str]:
        """The containers of this environment's cluster."""
        label = f"label=io.x-k8s.kind.cluster={self.name}"
        return self.run("docker", "ps", "--all", "--quiet", "--filter", label).split()

    def clear(self) -> None:
        """Destroy what an earlier, broken run left: all that its state knows, and a cluster that carries its marker."""
        if not (PROJECT / f"Pulumi.{self.name}.yaml").exists():
            self.configure()
        self.select()
        self.run("pulumi", "--non-interactive", "cancel", "--yes", "--stack", self.name, check=False)
        self.destroy()

    def close(self) -> None:
        """Let go of the home folder and remove the stack's configuration file."""
        (PROJECT / f"Pulumi.{self.name}.yaml").unlink(missing_ok=True)
        self._lock.close()


def eventually(seconds: float, what: str, check: Any, every: float = 1.0) -> Any:
    """The first true value of `check()`; fails after `seconds` with `what` and the last value."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what}; last seen: {value!r}")
        time.sleep(every)

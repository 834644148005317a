"""Where Pulumi keeps the stack when the user has not said otherwise: in the checkout, with a passphrase of its own."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from toolchain import ToolchainError

PROJECT = "knative-releases"
DEFAULT_STACK = "dev"
LOCAL = ("127.0.0.1", "localhost", "127.0.0.1.sslip.io")
"""This machine, and the services' URLs on it."""


class Checkout:
    """The paths of a checkout that the toolchain uses."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.local = root / ".local"
        self.bin = self.local / "bin"
        self.state = self.local / "state"
        self.passphrase = self.local / "passphrase"
        self.engine = self.local / "engine"
        self.sources = self.sources_of(None)
        # Not as_uri(): its escapes would be another text than the one that scripts/activate writes. metadata=skip: else
        # each file of the state has a second one beside it, and a kill between the two leaves an empty one, with which
        # no command can read the state any more ("failed to load checkpoint: EOF").
        self.backend = f"file://{self.state}?metadata=skip"

    def sources_of(self, knative: str | None) -> Path:
        """The sources file for a release of Knative Serving; None: for the default one."""
        return self.local / (f"sources-{knative}.yaml" if knative else "sources.yaml")

    def settings_of(self, stack: str) -> Path:
        """The file with a stack's settings."""
        return self.root / f"Pulumi.{bare(stack)}.yaml"

    def state_of(self, stack: str) -> Path:
        """The file with a stack's state, in the checkout's own backend."""
        return self.state / ".pulumi" / "stacks" / PROJECT / f"{bare(stack)}.json"

    def resources_of(self, stack: str) -> int:
        """How many resources that file has, read without pulumi."""
        file = self.state_of(stack)
        state = json.loads(file.read_text()) if file.exists() else {}
        return len((state.get("checkpoint", {}).get("latest") or {}).get("resources") or ())


def bare(stack: str) -> str:
    """A stack's name without organization and project, as its files have it."""
    return stack.rpartition("/")[2]


def stack_name(environ: Mapping[str, str]) -> str:
    """The stack that the verbs act on: PULUMI_STACK, else dev."""
    return environ.get("PULUMI_STACK") or DEFAULT_STACK


def environment(checkout: Checkout, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment that pulumi runs in: the given one, with the checkout's tools first and its state.

    The same that scripts/activate makes. A backend or a passphrase that the user has set stays.
    """
    tools = os.pathsep.join([str(checkout.bin), str(checkout.root / ".venv" / "bin"), str(checkout.root / "scripts")])
    made = {
        **environ,
        "PATH": f"{tools}{os.pathsep}{environ.get('PATH', os.defpath)}",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    if not environ.get("PULUMI_BACKEND_URL"):
        made["PULUMI_BACKEND_URL"] = checkout.backend
    made.update(direct(environ))
    # An empty passphrase is one, so only a missing variable counts as none.
    if "PULUMI_CONFIG_PASSPHRASE" not in environ and not environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        made["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(checkout.passphrase)
    return made


def direct(environ: Mapping[str, str]) -> dict[str, str]:
    """What the proxy's variables need where one is set: this machine's own addresses are asked directly.

    The engine and the program talk at 127.0.0.1 by gRPC, whose library for Python would ask the proxy for that, too
    (pulumi/pulumi#3274). It reads no blanks in the list.
    """
    if not any(environ.get(name) or environ.get(name.lower()) for name in ("HTTP_PROXY", "HTTPS_PROXY")):
        return {}
    # Programs read the one or the other: both say the same.
    given = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    items = [item.strip() for item in given.split(",") if item.strip()]
    missing = [] if items == ["*"] else [item for item in LOCAL if item not in items]  # * is read as such when alone
    complete = ",".join([*items, *missing])
    return {"no_proxy": complete, "NO_PROXY": complete}


def prepare(checkout: Checkout, env: Mapping[str, str]) -> None:
    """Make the folder and the passphrase that `environment` points to, where they are the checkout's own.

    Raises ToolchainError where the stack's configuration was encrypted with a passphrase that is not here.
    """
    if env["PULUMI_BACKEND_URL"] == checkout.backend:
        checkout.state.mkdir(parents=True, exist_ok=True)
    if env.get("PULUMI_CONFIG_PASSPHRASE_FILE") != str(checkout.passphrase) or checkout.passphrase.exists():
        return
    configuration = checkout.settings_of(stack_name(env))
    if configuration.exists() and "\nencryptionsalt:" in f"\n{configuration.read_text()}":
        raise ToolchainError(
            f"{configuration.name} was encrypted with a passphrase that is not here: it has an encryptionsalt, but "
            f"there is no {checkout.passphrase}. Set PULUMI_CONFIG_PASSPHRASE to that passphrase; or, if nothing in "
            "the file is a secret that you need, take the line out: "
            f"sed -i.old '/^encryptionsalt:/d' {configuration.name}"
        )
    checkout.local.mkdir(parents=True, exist_ok=True)
    # Never readable for others, not even between its creation and a chmod.
    with open(os.open(checkout.passphrase, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))

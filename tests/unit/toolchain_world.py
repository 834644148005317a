"""A checkout for the toolchain's tests: its pulumi only writes down what it was asked (a stand-in)."""

from __future__ import annotations

import json
import os
from pathlib import Path

from toolchain.state import Checkout

FAKE_PULUMI = """#!/bin/sh
echo "$@" >> "$ASKED"
case "$*" in
  *"stack ls"*) echo "${STACKS:-[]}" ;;
esac
exit "${FAILS:-0}"
"""


def executable(file: Path, text: str) -> Path:
    """Write a script."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)
    return file


def make(root: Path) -> Checkout:
    """A checkout with that pulumi in .local/bin."""
    checkout = Checkout(root)
    executable(checkout.bin / "pulumi", FAKE_PULUMI)
    return checkout


def environ(checkout: Checkout, **more: str) -> dict[str, str]:
    """The variables of a user, with what the stand-in needs."""
    return {
        "PATH": os.defpath,
        "HOME": str(checkout.root),
        "ASKED": str(checkout.root / "asked"),
        "KNATIVE_RELEASES_CACHE": os.environ.get("KNATIVE_RELEASES_CACHE", str(checkout.root / "cache")),
        **more,
    }


def asked(checkout: Checkout) -> list[str]:
    """What pulumi was asked."""
    file = checkout.root / "asked"
    return file.read_text().splitlines() if file.exists() else []


def with_stack(checkout: Checkout, resources: int = 0) -> str:
    """Give the stack dev a state with so many resources; what `pulumi stack ls --json` says of it."""
    file = checkout.state_of("dev")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": [{}] * resources}}}))
    return json.dumps([{"name": "dev", "resourceCount": resources}, {"name": "other", "resourceCount": 9}])

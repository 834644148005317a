"""The user's kubeconfig, which is only read: one context of it, on its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import yaml

_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_DEFAULT = "~/.kube/config"


class KubeconfigError(pulumi.RunError):
    """The context cannot be used; the message says where it was looked for and what is there."""


def of_context(context: str, path: str | None = None) -> dict[str, Any]:
    """The kubeconfig of one context: its cluster and its user alone; paths in it are absolute.

    path: a kubeconfig; None: the files of $KUBECONFIG, else ~/.kube/config, as kubectl looks for them.

    Raises KubeconfigError when there is no such file or context.
    """
    places = [path] if path else [p for p in os.environ.get("KUBECONFIG", "").split(os.pathsep) if p] or [_DEFAULT]
    found: dict[str, dict[str, Any]] = {"contexts": {}, "clusters": {}, "users": {}}
    for place in places:
        for kind, entries in found.items():
            for entry in _read(Path(place).expanduser()).get(kind) or []:
                entries.setdefault(entry["name"], entry)  # the first file wins, as with kubectl
    if context not in found["contexts"]:
        known = ", ".join(sorted(found["contexts"])) or "no context at all"
        raise KubeconfigError(
            f"there is no context {context} in {' and '.join(places)}, which has: {known}. Choose one of them: pulumi "
            "config set --path 'knative-releases:cluster.context' <context>, or name another kubeconfig: pulumi config "
            "set --path 'knative-releases:cluster.kubeconfig' <file>"
        )
    chosen = found["contexts"][context]
    names = {"clusters": chosen["context"]["cluster"], "users": chosen["context"].get("user")}
    missing = [f"{kind[:-1]} {name}" for kind, name in names.items() if name is not None and name not in found[kind]]
    if missing:
        raise KubeconfigError(f"the context {context} names what {' and '.join(places)} lacks: {', '.join(missing)}")
    parts = {kind: [found[kind][name]] for kind, name in names.items() if name is not None}
    return {"apiVersion": "v1", "kind": "Config", "current-context": context, "contexts": [chosen], **parts}


def _read(file: Path) -> Mapping[str, Any]:
    """A kubeconfig with absolute paths; nothing where there is no such file, as kubectl has it."""
    try:
        text = file.read_text()
    except OSError:
        return {}
    try:
        config = yaml.safe_load(text) or {}
        for entry in (*(config.get("clusters") or []), *(config.get("users") or [])):
            body = entry.get("cluster") or entry.get("user") or {}
            body.update({name: str(file.parent / body[name]) for name in _FILES if name in body})
    except (yaml.YAMLError, AttributeError, TypeError) as error:
        raise KubeconfigError(f"{file} is no kubeconfig: {' '.join(str(error).split())}") from None
    return dict(config)

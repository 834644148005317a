"""The user's own logins at registries, as `docker login` and `helm registry login` keep them. Only read."""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HELPER_SECONDS = 20
"""Longest wait for a credential helper, which may ask the person for a password."""
DOCKER_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")
"""Names of one registry; Docker keeps its login under a URL of the first version of the protocol."""
_HUB_KEY = "https://index.docker.io/v1/"


@dataclass(frozen=True)
class Login:
    """Name and password, or token, of a user at a registry."""

    user: str
    password: str

    @property
    def basic(self) -> str:
        """Value of an Authorization header."""
        return f"Basic {base64.b64encode(f'{self.user}:{self.password}'.encode()).decode()}"

    def __repr__(self) -> str:
        """Without the password: it must not get into a message."""
        return f"Login({self.user!r})"


def login(host: str) -> Login | None:
    """The user's login at a registry (host, with its port); None where there is none, or where it cannot be read."""
    for config in _configurations():
        for key in _keys(host):
            helper = _part(config, "credHelpers").get(key) or config.get("credsStore")
            found = _asked(str(helper), key) if helper else None
            found = found or _noted(_part(_part(config, "auths"), key))
            if found:
                return found
    return None


def _configurations() -> Iterator[Mapping[str, Any]]:
    """Helm's, then Docker's, where they are there."""
    home, environ = Path.home(), os.environ
    helm = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "helm" / "registry" / "config.json"
    docker = Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    for file in (Path(environ.get("HELM_REGISTRY_CONFIG") or helm), docker):
        try:
            config = json.loads(file.read_text())
        except (OSError, ValueError):
            continue
        if isinstance(config, dict):
            yield config


def _keys(host: str) -> tuple[str, ...]:
    """Under which names a login at a registry may be kept."""
    return (_HUB_KEY, *DOCKER_HUB) if host in DOCKER_HUB else (host, f"https://{host}")


def _part(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = config.get(key)
    return part if isinstance(part, dict) else {}


def _noted(entry: Mapping[str, Any]) -> Login | None:
    try:
        user, colon, password = base64.b64decode(str(entry.get("auth", ""))).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Login(user, password) if colon and password else None


def _asked(helper: str, key: str) -> Login | None:
    """What a credential helper of Docker answers; None where it knows nothing, or is not there (a helper of another
    system that a shared configuration names): registries are then asked without a login.
    """
    try:
        done = subprocess.run(
            [f"docker-credential-{helper}", "get"],
            input=key,
            capture_output=True,
            text=True,
            timeout=HELPER_SECONDS,
            check=True,
        )
        answer = json.loads(done.stdout)
        return Login(answer["Username"], answer["Secret"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None

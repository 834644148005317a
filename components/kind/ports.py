"""Whether the ingress can listen on 127.0.0.1 at a port. Standard library only."""

from __future__ import annotations

import platform
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.kind.docker import is_rootless

ANOTHER = "take another: pulumi config set --path 'knative-releases:cluster.httpPort' 8080"
DESKTOP_HELPER = Path("/var/run/com.docker.vmnetd.sock")
"""Of the helper with which older releases of Docker Desktop for the Mac bind a port below 1024."""


def port_problems(port: int, info: Mapping[str, Any]) -> list[str]:
    """What is against the port. info: what `docker info` says."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except PermissionError:
            return low_port_problems(port, info)
        except OSError as error:
            return [f"port {port} on 127.0.0.1 cannot be used: {error.strerror}. {free(port)}, or {ANOTHER}"]
    return []


def low_port_problems(port: int, info: Mapping[str, Any]) -> list[str]:
    """What is against a port that this user may not bind, as an engine that is root's may."""
    if is_rootless(info):
        return [f"port {port} on 127.0.0.1: a rootless Docker may bind no port below 1024, so {ANOTHER}"]
    if platform.system() == "Darwin" and not _desktop_helps(info):
        return [f"port {port} on 127.0.0.1: on macOS only root may bind a port below 1024 there, so {ANOTHER}"]
    with socket.socket() as asking:
        asking.settimeout(1)
        if asking.connect_ex(("127.0.0.1", port)) == 0:
            return [f"port {port} on 127.0.0.1 is in use. {free(port)}, or {ANOTHER}"]
    return []


def free(port: int) -> str:
    """How a person finds who has the port, with a program that this machine has."""
    ways = {
        "ss": f"sudo ss -ltnp 'sport = :{port}'",
        "lsof": f"sudo lsof -nP -iTCP:{port} -sTCP:LISTEN",
        "docker": f"docker ps --filter publish={port}",
    }
    known = [command for program, command in ways.items() if shutil.which(program)]
    return f"Free it (see: {known[0]})" if known else "Free it"


def _desktop_helps(info: Mapping[str, Any]) -> bool:
    return "Docker Desktop" in str(info.get("OperatingSystem", "")) and DESKTOP_HELPER.exists()

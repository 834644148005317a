"""Whether Docker answers, and what makes it answer on this platform."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path


def problem(environ: Mapping[str, str]) -> str | None:
    """Why Docker cannot be used, and the command that helps; None when it answers."""
    path = environ.get("PATH", os.defpath)
    if shutil.which("docker", path=path) is None:
        return f"docker is not on PATH. Install Docker: {_page()}"
    command = ["docker", "info", "--format", "{{.ServerVersion}}"]
    done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, check=False)
    if done.returncode == 0 and done.stdout.strip():
        return None
    said = " ".join(done.stderr.split())
    if "permission denied" in said.lower():
        return (
            f"You may not use Docker. Then log out and in again: sudo usermod -aG docker $USER\n  docker said: {said}"
        )
    if host := environ.get("DOCKER_HOST"):
        return f"Docker does not answer at DOCKER_HOST={host}. Start that engine, or: unset DOCKER_HOST"
    return f"Docker does not answer. Start it: {_start()}\n  docker said: {said}"


def _page() -> str:
    return f"https://docs.docker.com/{'desktop/setup/install/mac-install' if _mac() else 'engine/install'}/"


def _start() -> str:
    if _mac():
        return "open -a Docker"
    return "sudo systemctl start docker" if Path("/run/systemd/system").is_dir() else "sudo service docker start"


def _mac() -> bool:
    return platform.system() == "Darwin"

"""A Docker engine where none runs: uses the one that answers, else starts dockerd and later stops just that one.

It owns a state folder with the log and the identity (pid, start time, boot) of the dockerd it started; nothing else
is ever signalled, so neither a foreign engine nor a process that got a recycled pid can be hit.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

from offline import engine_host as host

SOCKET = Path("/var/run/docker.sock")
START_SECONDS = 90
STOP_SECONDS = 60


class EngineError(host.HostError):
    """What is wrong with the engine and what to do about it, in words for people."""


def answers() -> bool:
    """Whether the Docker engine that the client is set up for answers."""
    return shutil.which("docker") is not None and _docker_info().returncode == 0


def ensure_running(state: Path) -> bool:
    """Make sure that Docker answers; True when this call started an engine, which `stop(state)` then ends.

    `state` is a folder for the record and the log. Raises EngineError where no engine answers and none can be started.
    """
    if answers():
        return False
    if os.environ.get("DOCKER_HOST"):
        raise EngineError(
            f"Docker does not answer at DOCKER_HOST={os.environ['DOCKER_HOST']}. Start that engine, or "
            "`unset DOCKER_HOST` to use the local one."
        )
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        raise EngineError(
            "Docker does not answer, and only root on Debian can have it started. Start it "
            "(`sudo systemctl start docker`, or Docker Desktop) until `docker info` succeeds."
        )
    with _locked(state):
        try:
            host.install({"dockerd": "docker.io", "docker": "docker.io", "iptables": "iptables"})
        except host.HostError as error:
            raise EngineError(str(error)) from None
        if answers():  # the package started it, or another process did while we waited for the lock
            return False
        _start(state)
    return True


def stop(state: Path) -> None:
    """End the engine that `ensure_running(state)` started and wait for it; does nothing when there is none."""
    if not state.is_dir():
        return
    with _locked(state):
        pid = _recorded(state)
        if pid is not None:
            os.kill(pid, SIGTERM)
            _await_end(pid, state)
        _record(state).unlink(missing_ok=True)


def status(state: Path) -> str:
    """One line: whether an engine answers, and whether it is ours."""
    pid = _recorded(state)
    ours = f"started here, pid {pid}" if pid else "not started here"
    return f"Docker {'answers' if answers() else 'does not answer'} ({ours})"


def _start(state: Path) -> None:
    pid_file, log = state / "dockerd.pid", state / "dockerd.log"
    pid_file.unlink(missing_ok=True)  # of an earlier boot: dockerd trusts any living process with that pid
    host.drop_stale_containerd_record()
    with open(log, "wb") as output:
        daemon = subprocess.Popen(
            ["dockerd", f"--host=unix://{SOCKET}", f"--pidfile={pid_file}", *host.runtime_options(state)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
            env={**os.environ, "PATH": host.search_path(state)},
        )
    _record(state).write_text(json.dumps({"pid": daemon.pid, "identity": host.process_identity(daemon.pid)}))
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if daemon.poll() is not None or time.monotonic() > deadline:
            daemon.terminate()
            daemon.wait(STOP_SECONDS)
            _record(state).unlink()
            said = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
            raise EngineError(f"dockerd did not come up; the end of its log {log}:\n{said}")
        time.sleep(0.2)


def _await_end(pid: int, state: Path) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while _recorded(state) == pid:
        if time.monotonic() > deadline:
            raise EngineError(f"dockerd (pid {pid}) still runs {STOP_SECONDS} s after SIGTERM; see {state}/dockerd.log")
        time.sleep(0.1)


def _recorded(state: Path) -> int | None:
    """The pid of the engine that was started with this state, None when it no longer runs."""
    if not _record(state).exists():
        return None
    record = json.loads(_record(state).read_text())
    return int(record["pid"]) if host.process_identity(record["pid"]) == record["identity"] else None


def _record(state: Path) -> Path:
    return state / "engine.json"


def _docker_info() -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["docker", "info", "--format", "{{.ServerVersion}}"], capture_output=True, check=False)


@contextmanager
def _locked(state: Path) -> Iterator[None]:
    state.mkdir(parents=True, exist_ok=True)
    with open(state / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m offline.engine", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("action", choices=["start", "stop", "status"])
    parser.add_argument("--state", type=Path, required=True, help="folder for the record and the log of the engine")
    given = parser.parse_args()
    try:
        if given.action == "start":
            ensure_running(given.state.absolute())
        elif given.action == "stop":
            stop(given.state.absolute())
        print(status(given.state.absolute()))
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What the Docker engine needs to know of the machine: packages, processes, capabilities, iptables.

Apart from engine.py so that the life cycle there reads without the quirks of hosts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

CAP_SYS_RESOURCE = 24
RUNTIME_WRAPPER = Path(__file__).with_name("runc-without-sys-resource")
CONTAINERD_RECORD = Path("/var/run/docker/containerd/containerd.pid")
# What dockerd does first: a NAT chain with these two extensions. A kernel may offer it in one iptables flavour only.
NAT_PROBE = (
    ["-N", "knative-releases"],
    ["-A", "knative-releases", "-m", "addrtype", "--dst-type", "LOCAL", "-j", "RETURN"],
    ["-A", "knative-releases", "-j", "MASQUERADE"],
)
NAT_PROBE_END = (["-F", "knative-releases"], ["-X", "knative-releases"])


class HostError(RuntimeError):
    """What this machine lacks and how to get it, in words for people."""


def install(packages: Mapping[str, str]) -> None:
    """Install by apt-get the packages (command to package name) whose command is missing; needs root on Debian.

    Raises HostError when apt-get fails; its own words are on stderr.
    """
    missing = sorted({package for command, package in packages.items() if shutil.which(command) is None})
    if missing:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
            if subprocess.run(["apt-get", "-q", *command], stdout=2, env=environment, check=False).returncode != 0:
                raise HostError(
                    f"apt-get could not install {', '.join(missing)} (what it says is above). Install by "
                    f"`apt-get update && apt-get install {' '.join(missing)}`, then run the command again."
                )


def process_identity(pid: int) -> str | None:
    """Boot and start time of a living process: with its pid unmistakable; None when there is none (or a zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] == "Z":
        return None
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {fields[19]}"


def drop_stale_containerd_record() -> None:
    """Remove the pid that an earlier containerd of dockerd left behind, unless it is alive.

    dockerd takes any living process with that pid for its containerd and then waits for it in vain.
    """
    if CONTAINERD_RECORD.exists():
        command = Path(f"/proc/{CONTAINERD_RECORD.read_text().strip()}/comm")
        if not command.exists() or command.read_text().strip() != "containerd":
            CONTAINERD_RECORD.unlink()


def can_raise_limits(process_status: str) -> bool:
    """Whether CAP_SYS_RESOURCE is in the bounding set, told from the text of /proc/<pid>/status."""
    bounding = next(line.split()[1] for line in process_status.splitlines() if line.startswith("CapBnd:"))
    return bool(int(bounding, 16) >> CAP_SYS_RESOURCE & 1)


def runtime_options(state: Path) -> list[str]:
    """Options for dockerd: the runc wrapper as default runtime, where the machine lacks CAP_SYS_RESOURCE."""
    if can_raise_limits(Path("/proc/self/status").read_text()):
        return []
    wrapper = state / RUNTIME_WRAPPER.name  # a copy: running containers must outlive a move of the checkout
    shutil.copy(RUNTIME_WRAPPER, wrapper)
    wrapper.chmod(0o755)
    return [
        f"--add-runtime=without-sys-resource={wrapper}",
        "--default-runtime=without-sys-resource",
        "--oom-score-adjust=0",
    ]


def search_path(state: Path) -> str:
    """PATH for dockerd: as it is where `iptables` can do NAT, else with the legacy flavour first."""
    path = os.environ["PATH"]
    if not _can_nat("iptables") and _can_nat("iptables-legacy"):
        legacy = state / "iptables-legacy"
        legacy.mkdir(exist_ok=True)
        for name in ("iptables", "ip6tables"):
            link = legacy / name
            link.unlink(missing_ok=True)
            link.symlink_to(str(shutil.which(f"{name}-legacy")))
        return f"{legacy}:{path}"
    return path


def _can_nat(iptables: str) -> bool:
    def run(arguments: list[str]) -> bool:
        ran = subprocess.run([iptables, "-w", "-t", "nat", *arguments], capture_output=True, check=False)
        return ran.returncode == 0

    if shutil.which(iptables) is None:
        return False
    works = all(run(arguments) for arguments in NAT_PROBE)
    for arguments in NAT_PROBE_END:
        run(arguments)
    return works

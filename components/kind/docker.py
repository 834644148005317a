"""Whether this machine's Docker can have the cluster, by what `docker info` says. Standard library only.

Read from the environment: DOCKER_HOST and KIND_EXPERIMENTAL_PROVIDER, as docker and kind read them; MINIMUM_CPUS,
MINIMUM_MEMORY_GIB and MINIMUM_DISK_GIB, with PROFILE, the profile that wants them.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.kind.processes import CommandError, run

MINIMUM = (20, 10)
"""kind 0.30.0 starts its node with `--cgroupns=private`, which older engines do not know."""
GIB = 2**30
ROOTLESS_PAGE = "https://kind.sigs.k8s.io/docs/user/rootless/"


def docker_info() -> tuple[dict[str, Any], list[str]]:
    """What `docker info` says, and why it says nothing; one of both is empty."""
    try:
        info: dict[str, Any] = json.loads(run("docker", "info", "--format", "{{json .}}"))
    except CommandError as error:
        reason = str(error)
        return {}, [reason if "not on PATH" in reason else f"Docker cannot be used: {reason}\n    {start(reason)}"]
    except ValueError:
        return {}, ["`docker info` prints no JSON, so this `docker` is not Docker's. Put Docker's own first on PATH"]
    if errors := "; ".join(info.get("ServerErrors") or []):
        return {}, [f"Docker cannot be used: {errors}\n    {start(errors)}"]
    return info, []


def start(reason: str) -> str:
    """How Docker is started on this machine, or a person let to it where that is what it lacks."""
    if "permission denied" in reason.lower():
        return "Let your user use it: sudo usermod -aG docker $USER, then log in again (check it: docker info)"
    if host := os.environ.get("DOCKER_HOST"):
        return f"Start the engine at DOCKER_HOST={host}, or take the usual one: unset DOCKER_HOST"
    if platform.system() == "Darwin":
        return "Start Docker Desktop: open -a Docker"
    desktop = "; with Docker Desktop on Windows, start it there" if "microsoft" in platform.release().lower() else ""
    for program, command in (("systemctl", "sudo systemctl start docker"), ("service", "sudo service docker start")):
        if shutil.which(program) and (program == "service" or Path("/run/systemd/system").is_dir()):
            return f"Start it: {command}{desktop}"
    return f"Start its daemon{desktop}"


def docker_problems(info: Mapping[str, Any]) -> list[str]:
    """What is wrong with Docker and the machine under it. info: see `docker_info`."""
    kinds = list(kind_of_docker_problems(info))
    if kinds:
        return kinds  # whatever its numbers mean
    return [
        *version_problems(str(info.get("ServerVersion", ""))),
        *(rootless_problems(info) if is_rootless(info) else ()),
        *size_problems(info, os.environ["PROFILE"]),
        *disk_problems(info.get("DockerRootDir", "")),
    ]


def kind_of_docker_problems(info: Mapping[str, Any]) -> Iterator[str]:
    """Whether it is a Docker of this machine that runs Linux containers, and kind would use it."""
    way = "Docker's own is wanted: https://docs.docker.com/engine/install"
    if "host" in info and "store" in info:  # as Podman's `info` is built
        yield f"`docker` is Podman, with which this was never run. {way}"
    elif "NCPU" not in info or "MemTotal" not in info:
        yield f"`docker info` does not say how many CPUs and how much memory there are (NCPU, MemTotal). {way}"
    elif info.get("OSType", "linux") != "linux":
        yield f"Docker runs {info['OSType']} containers; wanted linux. Switch Docker Desktop to Linux containers"
    provider = os.environ.get("KIND_EXPERIMENTAL_PROVIDER", "docker")
    if provider not in ("", "docker"):
        yield f"KIND_EXPERIMENTAL_PROVIDER is {provider}; wanted docker: unset KIND_EXPERIMENTAL_PROVIDER"
    host = os.environ.get("DOCKER_HOST", "")
    if re.match(r"(ssh|tcp|https?)://", host) and not re.search(r"://(localhost|127\.|\[::1\])", host):
        yield (
            f"DOCKER_HOST is {host}: another machine, on whose 127.0.0.1 the cluster would listen. Run this there "
            "(and reach it with: ssh -L 8080:127.0.0.1:80 …), or: unset DOCKER_HOST"
        )


def is_rootless(info: Mapping[str, Any]) -> bool:
    """Whether the engine runs as an ordinary user. Pure."""
    return any("rootless" in option for option in info.get("SecurityOptions") or [])


def rootless_problems(info: Mapping[str, Any]) -> Iterator[str]:
    """What kind wants of a rootless engine (its `validateProvider`). Pure."""
    if str(info.get("CgroupVersion", "2")) != "2":
        yield f"Docker is rootless and its machine has cgroup v1; kind wants cgroup v2 for it: {ROOTLESS_PAGE}"
    lacking = [name for name in ("MemoryLimit", "PidsLimit", "CPUShares") if info.get(name) is False]
    if lacking:
        yield (
            f"Docker is rootless and cannot set {', '.join(lacking)}; kind wants the systemd property Delegate=yes "
            f"of its user: {ROOTLESS_PAGE}"
        )


def version_problems(found: str) -> Iterator[str]:
    """Whether the engine is new enough for kind; one without a number is not judged. Pure."""
    numbers = re.match(r"(\d+)\.(\d+)", found)
    if numbers and (int(numbers[1]), int(numbers[2])) < MINIMUM:
        yield f"Docker is {found}; kind wants 20.10 or newer. Update it: https://docs.docker.com/engine/install"


def size_problems(info: Mapping[str, Any], profile: str) -> Iterator[str]:
    """Whether Docker has the CPUs and the memory that the profile wants."""
    cpus, memory = float(os.environ["MINIMUM_CPUS"]), float(os.environ["MINIMUM_MEMORY_GIB"])
    smaller = (
        "" if profile == "small" else ", or choose: pulumi config set --path 'knative-releases:knative.profile' small"
    )
    if info["NCPU"] < cpus:
        yield f"Docker has {info['NCPU']} CPUs; the profile {profile} wants {cpus:g}. Give it more{smaller}"
    if info["MemTotal"] / GIB < memory:
        given = f"{info['MemTotal'] / GIB:.1f} GiB of memory"
        yield f"Docker has {given}; the profile {profile} wants {memory:g}. Give it more{smaller}"


def disk_problems(folder: str) -> Iterator[str]:
    """Whether Docker's folder has room; unknown, and no problem, where it is inside of a virtual machine."""
    wanted = float(os.environ["MINIMUM_DISK_GIB"])
    if not folder or not Path(folder).is_dir():
        return
    free = shutil.disk_usage(folder).free / GIB
    if free < wanted:
        yield (
            f"{folder} has {free:.1f} GiB free; the cluster and its images want {wanted:g}. "
            "Make room (see what Docker keeps: docker system df)"
        )

"""A machine to run the kind cluster's command on: docker and kind are stand-ins, small programs in one folder."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from components.commands.kind_nodes import MARKER_FOLDER
from components.commands.preflight import PINNED_KIND, PINNED_PACKAGES
from tests.unit.recording import ROOT

# Both share a folder: `info` and `containers` say what Docker has, `fails`, `hangs` and `raced` what kind does, `calls`
# what it was asked for, `kubeconfigs` the file that it may write,
# `ghosts` containers that Docker lists although it has just removed them.
DOCKER = """
import json, pathlib, sys
state = pathlib.Path(__file__).parent
read = lambda name: json.loads((state / name).read_text())
if sys.argv[1] == "info":
    if not (state / "info").exists():
        sys.exit("Cannot connect to the Docker daemon")
    print((state / "info").read_text())
elif sys.argv[1] == "ps":
    print("\\n".join(c["Id"] for c in read("containers")))
    if (state / "ghosts").exists():  # listed, but gone
        print((state / "ghosts").read_text())
        (state / "ghosts").unlink()
elif sys.argv[1] == "inspect":
    label = lambda c: {"Labels": {"io.x-k8s.kind.cluster": c["cluster"]}}
    bound = lambda port: [{"HostIp": "127.0.0.1", "HostPort": str(port)}]
    inside = lambda c: {"31080/tcp": c.get("port", 1), **({"6443/tcp": c["api"]} if "api" in c else {})}
    ports = lambda c: {"PortBindings": {number: bound(port) for number, port in inside(c).items()}}
    asked = [c for c in read("containers") if c["Id"] in sys.argv[2:]]
    told = lambda c: {"Name": f"/{c['cluster']}-control-plane", "State": {"Status": c.get("status", "running")}}
    print(json.dumps([{**c, **told(c), "Config": label(c), "HostConfig": ports(c)} for c in asked]))
    if len(asked) < len(sys.argv[2:]):
        sys.exit("Error: No such object")
"""
KIND = """
import json, pathlib, sys, time
state = pathlib.Path(__file__).parent
with (state / "calls").open("a") as calls:
    print(" ".join(sys.argv[1:3]), file=calls)
option = lambda name: sys.argv[sys.argv.index(name) + 1]
file = state / "containers"
if sys.argv[1:3] == ["create", "cluster"]:
    if (state / "raced").exists():
        file.write_text((state / "raced").read_text())
        sys.exit("ERROR: node(s) already exist for a cluster with the name")
    mounts = [{"Destination": m["containerPath"]} for m in json.load(sys.stdin)["nodes"][0]["extraMounts"]]
    node = {"Id": "new", "cluster": option("--name"), "Mounts": mounts, "image": option("--image")}
    file.write_text(json.dumps([*json.loads(file.read_text()), node]))
    if (state / "hangs").exists():
        (state / "hangs").write_text("begun")
        time.sleep(60)
    if (state / "fails").exists():
        sys.exit("ERROR: failed to create cluster: the node did not start")
    pathlib.Path(option("--kubeconfig")).write_text("the kubeconfig\\n")
    print("Creating cluster ...")
elif sys.argv[1:3] == ["delete", "cluster"]:
    (state / "kubeconfigs").write_text(option("--kubeconfig"))
    file.write_text(json.dumps([c for c in json.loads(file.read_text()) if c["cluster"] != option("--name")]))
elif sys.argv[1] == "version":
    print((state / "kind-version").read_text())
elif sys.argv[1:3] == ["get", "kubeconfig"]:
    print("the kubeconfig")
"""
ENOUGH = {"NCPU": 2, "MemTotal": 8 * 2**30}


class Machine:
    """A machine whose docker and kind are stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, program in (("docker", DOCKER), ("kind", KIND)):
            (folder / name).write_text(f"#!{sys.executable}\n{program}")
            (folder / name).chmod(0o755)
        self.environment: dict[str, str] = {}
        """Beside, or instead of, what the program gives the command."""
        self.has({**ENOUGH, "DockerRootDir": str(folder)})
        self.runs()
        (folder / "kind-version").write_text(f"kind v{PINNED_KIND} go1.24 linux/amd64\n")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def has(self, info: dict[str, Any]) -> None:
        """Set what `docker info` says."""
        (self.folder / "info").write_text(json.dumps(info))

    def runs(self, *containers: dict[str, Any]) -> None:
        """Set the containers."""
        (self.folder / "containers").write_text(json.dumps(containers))

    @property
    def clusters(self) -> list[str]:
        """Clusters of the containers that are there."""
        return [container["cluster"] for container in json.loads((self.folder / "containers").read_text())]

    @property
    def calls(self) -> list[str]:
        """What kind was asked for, in order."""
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def run(self, *verbs: str, created: str = "") -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        process = self.start(*verbs, created=created)
        stdout, stderr = process.communicate(timeout=30)
        return subprocess.CompletedProcess(verbs, process.returncode, stdout, stderr)

    def start(self, *verbs: str, created: str = "") -> subprocess.Popen[str]:
        """Start the command as pulumi-command does."""
        environment = {
            "PATH": str(self.folder),
            "CLUSTER_NAME": "dev",
            "CLUSTER_OWNER": "ours",
            "CLUSTER_CREATION": "first",
            "TMPDIR": str(self.folder),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "PULUMI_COMMAND_STDOUT": created,
            "NODE_IMAGE": "node:v1",
            "CLUSTER_CONFIG": json.dumps({"nodes": [{"role": "control-plane"}]}),
            "HTTP_PORT": str(self.port),
            "PROFILE": "small",
            "MINIMUM_CPUS": "2",
            "MINIMUM_MEMORY_GIB": "4",
            "MINIMUM_DISK_GIB": "0.001",
            "PACKAGES": json.dumps(PINNED_PACKAGES),
            "ENGINE": "",
            **self.environment,
            "HOME": os.environ["HOME"],
        }
        command = [sys.executable, "-m", "components.commands.kind_cluster", *verbs]
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


def node(cluster: str, marker: str | None, port: int = 1) -> dict[str, Any]:
    """A container of a kind cluster, with a stack's marker or none, and the port that it has on the host."""
    mounts = [{"Destination": "/lib/modules"}, *([{"Destination": f"{MARKER_FOLDER}{marker}"}] if marker else [])]
    return {"Id": f"{cluster}-{marker}", "cluster": cluster, "Mounts": mounts, "port": port}

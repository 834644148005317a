"""A machine to run the kind cluster's command on: docker and kind are stand-ins, small programs in one folder."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from components.kind.nodes import MARKER_FOLDER
from components.kind.preflight import PINNED_KIND, PINNED_PACKAGES
from tests.unit.recording import ROOT

# Both share a folder. `info`, `containers` and `images` say what Docker has; `calls` what both were asked for.
# The verbs in `hangs` (`create`, `pull`, `rm`) stand still, once each, until the file `<verb>-goes-on` exists, and
# write `<verb>-begun` before; those in `fails` fail, once each. `raced` and `collides` are containers that somebody
# else makes before kind looks, and after it has looked; `ghosts` are listed although Docker has just removed them.
BOTH = r"""
import json, os, pathlib, sys, time
state = pathlib.Path(__file__).parent
read = lambda name: json.loads((state / name).read_text())
write = lambda name, value: (state / name).write_text(json.dumps(value))
def call(*words):
    with (state / "calls").open("a") as calls:
        print(*words, file=calls)
def once(name, verb):
    verbs = read(name) if (state / name).exists() else []
    if verb in verbs:
        verbs.remove(verb)
        write(name, verbs)
        return True
def hang(verb, line=""):
    if once("hangs", verb):
        (state / f"{verb}-begun").write_text(str(os.getpid()))
        for _ in range(6000):
            if (state / f"{verb}-goes-on").exists():
                break
            if line and not (state / "silent").exists():
                print(line, file=sys.stderr, flush=True)
            time.sleep(0.02)
"""
DOCKER = r"""
if sys.argv[1] == "info":
    if not (state / "info").exists():
        sys.exit("Cannot connect to the Docker daemon")
    print((state / "info").read_text())
elif sys.argv[1] == "ps":
    print("\n".join(c["Id"] for c in read("containers")))
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
elif sys.argv[1] == "rm":
    call("docker rm", *sys.argv[4:])
    hang("rm")
    failed = once("fails", "rm")
    write("containers", [c for c in read("containers") if c["Id"] not in sys.argv[4:]])
    if failed:
        sys.exit("Error response from daemon: removal of container is already in progress")
elif sys.argv[1:3] == ["image", "inspect"]:
    if sys.argv[-1] not in read("images"):
        sys.exit("Error: No such image")
elif sys.argv[1] == "pull":
    call("docker pull", sys.argv[2])
    print("v1: Pulling from node\n0123456789ab: Pulling fs layer\ncdef01234567: Already exists", flush=True)
    hang("pull")
    if once("fails", "pull"):
        sys.exit("Error response from daemon: toomanyrequests")
    write("images", [*read("images"), sys.argv[2]])
    print("0123456789ab: Pull complete\nDigest: sha256:1", flush=True)
"""
KIND = r"""
call("kind", *sys.argv[1:3])
option = lambda name: sys.argv[sys.argv.index(name) + 1]
def delete():
    write("containers", [c for c in read("containers") if c["cluster"] != option("--name")])
if sys.argv[1:3] == ["create", "cluster"]:
    def fail(message):
        "What kind does when it fails once it has begun."
        if "--retain" not in sys.argv:
            delete()
        sys.exit(f"ERROR: failed to create cluster: {message}")
    if (state / "raced").exists():
        (state / "containers").write_text((state / "raced").read_text())
    if any(c["cluster"] == option("--name") for c in read("containers")):
        sys.exit("ERROR: failed to create cluster: node(s) already exist for a cluster with the name")
    config = json.load(sys.stdin)
    print(" \u2022 Preparing nodes  ...", file=sys.stderr, flush=True)
    if (state / "collides").exists():
        (state / "containers").write_text((state / "collides").read_text())
        fail("the container name is already in use")
    mounts = [{"Destination": m["containerPath"]} for m in config["nodes"][0]["extraMounts"]]
    new = {"Id": f"new-{os.getpid()}", "cluster": option("--name"), "Mounts": mounts, "image": option("--image")}
    write("containers", [*read("containers"), new])
    hang("create", " \u2022 Starting control-plane  ...")
    if once("fails", "create"):
        fail("the node did not start")
    kubeconfig = pathlib.Path(option("--kubeconfig"))
    kubeconfig.touch(0o600)
    kubeconfig.write_text("the kubeconfig\n")
    (state / "kubeconfigs").write_text(str(kubeconfig))
    print("Creating cluster ...")
elif sys.argv[1:3] == ["delete", "cluster"]:
    (state / "kubeconfigs").write_text(option("--kubeconfig"))
    delete()
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
            (folder / name).write_text(f"#!{sys.executable}\n{BOTH}{program}")
            (folder / name).chmod(0o755)
        self.environment: dict[str, str] = {}
        """Beside, or instead of, what the program gives the command."""
        self.has({**ENOUGH, "DockerRootDir": str(folder)})
        self.runs()
        self.knows("node:v1")
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

    def knows(self, *images: str) -> None:
        """Set the images."""
        (self.folder / "images").write_text(json.dumps(images))

    def hangs(self, *verbs: str) -> None:
        """Let the next `create` of kind, or `pull` or `rm` of docker, stand still until `goes_on`."""
        (self.folder / "hangs").write_text(json.dumps(verbs))

    def fails(self, *verbs: str) -> None:
        """Let the next `create` of kind, or `pull` or `rm` of docker, fail."""
        (self.folder / "fails").write_text(json.dumps(verbs))

    def begun(self, verb: str) -> int:
        """Wait until the verb stands still; its process."""
        file = self.folder / f"{verb}-begun"
        for _ in range(6000):
            if file.exists() and file.read_text():
                return int(file.read_text())
            time.sleep(0.02)
        raise AssertionError(f"{verb} did not begin: this test proves nothing")

    def goes_on(self, verb: str) -> None:
        """Let go of a verb that stands still."""
        (self.folder / f"{verb}-goes-on").touch()

    @property
    def left(self) -> list[str]:
        """Files that creations keep in the user's cache."""
        return sorted(file.name for file in (self.folder / "cache").rglob("*") if file.is_file())

    @property
    def clusters(self) -> list[str]:
        """Clusters of the containers that are there."""
        return [container["cluster"] for container in json.loads((self.folder / "containers").read_text())]

    @property
    def calls(self) -> list[str]:
        """What kind was asked for, and docker to pull and to remove, in order."""
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def run(self, *verbs: str, created: str = "") -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        process = self.start(*verbs, created=created)
        stdout, stderr = process.communicate(timeout=120)
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

    def end(self) -> None:
        """End what still runs."""
        for program in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):  # it ended meanwhile
                if f"XDG_CACHE_HOME={self.folder / 'cache'}\0" in program.read_text():
                    os.kill(int(program.parent.name), signal.SIGKILL)


def node(cluster: str, marker: str | None, port: int = 1) -> dict[str, Any]:
    """A container of a kind cluster, with a stack's marker or none, and the port that it has on the host."""
    mounts = [{"Destination": "/lib/modules"}, *([{"Destination": f"{MARKER_FOLDER}{marker}"}] if marker else [])]
    return {"Id": f"{cluster}-{marker}", "cluster": cluster, "Mounts": mounts, "port": port}

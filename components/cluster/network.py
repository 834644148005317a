"""What stands between the cluster and the image registries (proxy, certificate authority, registries, logins), read
before any resource is registered, and put into the kind node and into Knative's controller.

The controller asks registries, too: it looks up the digest of every version's tag. Being a pod, it has nothing of what
its node has.
"""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pulumi

from components.manifests import Manifest, key
from components.proxies import is_local

NODE_CA = "/etc/ssl/certs/knative-releases-ca.pem"
"""In the node: Go's programs (containerd) read every file of this folder."""
NODE_REGISTRIES = "/etc/containerd/certs.d"
NODE_LOGINS = "/.docker"
"""In the node: one of the folders where kubelet looks for config.json. A folder: `docker login` replaces the file."""
_CERTS_D = f'[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "{NODE_REGISTRIES}"\n'
_NAMESPACE, _CONTROLLER = "knative-serving", "controller"
_CA, _LOGINS = "knative-releases-ca", "knative-releases-logins"
_FOLDER = "/etc/knative-releases"
_DIGEST = "knative-releases/ca-digest"
# Kubernetes puts the API's address in for the first: the ranges of an existing cluster are not known.
_CLUSTER = "$(KUBERNETES_SERVICE_HOST),localhost,127.0.0.1,.svc,.cluster.local"


class NetworkError(pulumi.RunError):
    """The settings of the network are of no use; the message lists every problem. No resource exists yet."""


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """The settings; see `settings.network`."""

    http_proxy: str | None = None
    https_proxy: str | None = None
    no_proxy: str = ""
    ca: str | None = None
    registries: str | None = None


@dataclass(frozen=True, kw_only=True)
class Network:
    """What was read."""

    args: NetworkArgs = NetworkArgs()
    ca: str | None = None
    """The certificate authorities, PEM."""
    logins: str | None = None
    """Text of config.json: a secret."""

    @property
    def variables(self) -> dict[str, str]:
        """The proxy as environment variables; empty where none is set."""
        named = {"HTTP_PROXY": self.args.http_proxy, "HTTPS_PROXY": self.args.https_proxy}
        found = {name: value for name, value in named.items() if value}
        return {**found, "NO_PROXY": self.args.no_proxy} if found and self.args.no_proxy else found

    @property
    def mounts(self) -> list[dict[str, Any]]:
        """`extraMounts` of the kind node. Paths stay as given: relative ones begin at the project's folder."""
        places = [(self.args.ca, NODE_CA), (self.args.registries, NODE_REGISTRIES), (self.args.registries, NODE_LOGINS)]
        return [{"hostPath": given, "containerPath": place, "readOnly": True} for given, place in places if given]

    @property
    def containerd_patches(self) -> list[str]:
        """`containerdConfigPatches` of the kind cluster: node images before kind 0.27 do not look into the folder."""
        return [_CERTS_D] if self.args.registries else []

    @property
    def node(self) -> str:
        """All that a node is made with, as a text that changes with it; empty where nothing is set."""
        parts = {**self.variables, **{each["containerPath"]: each["hostPath"] for each in self.mounts}}
        return json.dumps(parts, sort_keys=True) if parts else ""

    def objects(self) -> list[Manifest]:
        """What the controller mounts."""
        found = []
        if self.ca:
            found.append(_object("ConfigMap", _CA, {"ca.pem": self.ca}))
        if self.logins:
            data = pulumi.Output.secret(base64.b64encode(self.logins.encode()).decode())
            found.append(_object("Secret", _LOGINS, {"config.json": data}))
        return found

    def for_controller(self, manifest: Manifest) -> Manifest:
        """A `Transform` that gives Knative's controller the same network."""
        if key(manifest) != ("Deployment", _NAMESPACE, _CONTROLLER):
            return manifest
        variables = self.variables
        if variables:
            variables["NO_PROXY"] = ",".join(filter(None, [_CLUSTER, self.args.no_proxy]))
        template = manifest["spec"]["template"]
        if self.ca:
            # Read once, at the start; the folder is read besides the image's own file of public authorities.
            variables["SSL_CERT_DIR"] = f"{_FOLDER}/ca"
            digest = {_DIGEST: hashlib.sha256(self.ca.encode()).hexdigest()[:16]}
            metadata = template.setdefault("metadata", {})
            metadata["annotations"] = {**metadata.get("annotations", {}), **digest}
            _mount(template["spec"], "ca", {"configMap": {"name": _CA}})
        if self.logins:
            variables["DOCKER_CONFIG"] = f"{_FOLDER}/logins"
            _mount(template["spec"], "logins", {"secret": {"secretName": _LOGINS}})
        if variables:
            container = template["spec"]["containers"][0]
            added = [{"name": name, "value": value} for name, value in variables.items()]
            container["env"] = [*container.get("env", []), *added]
        return manifest


def read(args: NetworkArgs) -> Network:
    """Read the files that the settings name. Raises NetworkError that lists everything wrong."""
    problems = [problem for url in (args.http_proxy, args.https_proxy) if url and (problem := _unreachable(url))]
    ca = _ca(Path(args.ca), problems) if args.ca else None
    logins = _logins(Path(args.registries), problems) if args.registries else None
    if problems:
        lines = ["the settings of the network are of no use; nothing was changed:", *(f"  - {p}" for p in problems)]
        raise NetworkError("\n".join(lines))
    return Network(args=args, ca=ca, logins=logins)


def _unreachable(url: str) -> str | None:
    if not is_local(urlsplit(url).hostname or ""):
        return None
    return (
        f"knative-releases:network.proxy: given {url}; wanted an address that the cluster reaches: {url} means, in it, "
        "the node itself. Let the proxy listen on Docker's bridge too (ip addr show docker0)"
    )


def _ca(file: Path, problems: list[str]) -> str | None:
    try:
        text = file.read_text()
        if "PRIVATE KEY-----" in text:
            problems.append(f"knative-releases:network.ca: {file} holds a private key; wanted certificates alone")
            return None
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (OSError, ValueError) as error:  # ssl's errors are OSErrors
        reason = "no PEM certificates" if isinstance(error, ssl.SSLError | ValueError) else error.strerror
        problems.append(
            f"knative-releases:network.ca: {file} cannot be used: {reason}; wanted a file of PEM certificates"
        )
        return None
    return text


def _logins(folder: Path, problems: list[str]) -> str | None:
    """Text of the folder's config.json; None where there is none."""
    if not folder.is_dir():
        problems.append(f"knative-releases:network.registries: there is no folder {folder}; wanted one, empty or not")
        return None
    file = folder / "config.json"
    try:
        text = file.read_text()
        found = json.loads(text)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no JSON"
        problems.append(f"knative-releases:network.registries: {file} cannot be read: {reason}")
        return None
    entries = found.get("auths") if isinstance(found, dict) else None
    if not entries or not all(_complete(entry) for entry in entries.values()):
        problems.append(
            f"knative-releases:network.registries: {file} does not hold the logins themselves (docker may keep them in "
            "the system's store, which the node cannot read). Write it by hand: docs/behind-a-firewall.md"
        )
        return None
    return text


def _complete(entry: Any) -> bool:
    return isinstance(entry, dict) and bool(entry.get("auth") or (entry.get("username") and entry.get("password")))


def _object(kind: str, name: str, data: dict[str, Any]) -> Manifest:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"namespace": _NAMESPACE, "name": name}, "data": data}


def _mount(pod: dict[str, Any], name: str, source: dict[str, Any]) -> None:
    """Mount a volume into the pod's first container, below `_FOLDER`."""
    pod["volumes"] = [*pod.get("volumes", []), {"name": name, **source}]
    container = pod["containers"][0]
    mount = {"name": name, "mountPath": f"{_FOLDER}/{name}", "readOnly": True}
    container["volumeMounts"] = [*container.get("volumeMounts", []), mount]


NOTHING = Network()
"""A network without any of these."""

"""The kind cluster that the environment runs in, and the images loaded into its node."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
import yaml
from pulumi.output import Unknown
from pulumi_command import local

from components.cluster.machine import preflight_environment
from components.cluster.network import NOTHING, Network
from components.cluster.objects import LoadedArchive, Placement
from components.kind.node_image import present
from components.kind.processes import CommandError
from components.kind.standing import creation_word
from components.secret import GeneratedWord
from components.sources.archives import content_of, names_of
from components.sources.downloads import NODE, Download, told

INGRESS_NODE_PORT = 31080
"""Node port of the ingress; the kind node publishes it on the host (the tutorial's number)."""
_COMMAND = "exec sh components/commands/run.sh kind_cluster"


@dataclass(frozen=True, kw_only=True)
class KindClusterArgs:
    """What the cluster is to be."""

    cluster_name: str
    http_port: int
    """Port on 127.0.0.1 of the host that reaches the ingress."""
    node_image: str
    """Image of the node: Kubernetes' version."""
    archives: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Image archives to load into the node, in this order, with the images that they hold."""
    downloads: Sequence[Download] = ()
    """What the cluster pulls when it is new."""
    profile: str = "small"
    """Name of a profile of `components.cluster.machine.NEEDS`."""
    network: Network = NOTHING


class KindCluster(pulumi.ComponentResource):
    """One-node kind cluster that nothing but this stack created, with a Kubernetes provider for it.

    A change of its name, port, node image or network replaces it; all that runs in it is then created again in the same
    update.
    """

    kubeconfig: pulumi.Output[str]
    """Kubeconfig of the cluster's administrator; a secret."""
    provider: kubernetes.Provider
    """Provider of the objects inside; another one (a replacement of them all) for every creation of the cluster."""
    placement: Placement
    """For what is put into the cluster."""

    def __init__(self, name: str, args: KindClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("knative-releases:index:KindCluster", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        owner = GeneratedWord(f"{name}-owner", secret=False, delete=f"{_COMMAND} sweep", opts=child)
        # In the first preview the owner is not known, and there is no cluster.
        owner.value.apply(lambda word: announce(args) if isinstance(word, Unknown) else None, run_with_unknowns=True)
        command = self._command(name, args, owner.value, owner.value.apply(lambda word: standing(word, args)))
        self.kubeconfig = pulumi.Output.secret(command.stdout)
        identity = pulumi.Output.unsecret(self.kubeconfig.apply(cluster_identity))
        archives = self._load(name, args, identity, command)
        self.placement = Placement(
            archives=archives, deleted_with=command, creation=identity, kubeconfig=self.kubeconfig
        )
        self.provider = kubernetes.Provider(
            f"{name}-provider",
            kubeconfig=self.kubeconfig,
            cluster_identifier=identity,
            enable_server_side_apply=True,
            enable_config_map_mutable=True,  # else a changed ConfigMap is replaced under the pods that read it
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"kubeconfig": self.kubeconfig})

    def _command(
        self, name: str, args: KindClusterArgs, owner: pulumi.Output[str], creation: pulumi.Output[str]
    ) -> local.Command:
        return local.Command(
            f"{name}-kind",
            create=f"{_COMMAND} create",
            update=f"{_COMMAND} kubeconfig",
            delete=f"{_COMMAND} delete",
            environment={
                "CLUSTER_NAME": args.cluster_name,
                "CLUSTER_OWNER": owner,
                "CLUSTER_CREATION": creation,
                "CLUSTER_CONFIG": kind_configuration(args.http_port, args.network),
                "NODE_IMAGE": args.node_image,
                "HTTP_PORT": str(args.http_port),
                "PULLS": "" if args.archives else "yes",
                **args.network.variables,  # kind hands them to the node
                **preflight_environment(args.profile),
            },
            # The creation of the new cluster removes the old one, which holds its name or port: replaced the other way
            # round (delete_before_replace), the engine asks a provider that it has closed (docs/decisions/0005).
            # A cluster that is gone has no word: a new one makes it again (components/kind/standing.py).
            triggers=[
                *(args.cluster_name, args.http_port, args.node_image, owner, creation),
                *filter(None, [args.network.node]),
            ],
            logging=local.Logging.STDERR,  # stdout is the kubeconfig
            opts=pulumi.ResourceOptions(
                parent=self,
                additional_secret_outputs=["stdout"],
                # The steps' own limits say what was too slow, and clean up; this one only kills the command. It is
                # enough for a creation after the wait for an interrupted one (twice PULL_SECONDS and CREATE_SECONDS).
                custom_timeouts=pulumi.CustomTimeouts(create="2h", delete="10m"),
            ),
        )

    def _load(
        self, name: str, args: KindClusterArgs, identity: pulumi.Output[str], cluster: pulumi.Resource
    ) -> list[LoadedArchive]:
        """Load the archives one after the other: what is needed first is there first, and all take as long together."""
        loaded: list[LoadedArchive] = []
        names = names_of(args.archives)
        for archive, images in args.archives.items():
            before = [cluster, *(each.loaded for each in loaded[-1:])]
            load = local.Command(
                f"{name}-image-{names[archive]}",
                create='exec kind load image-archive --name "$CLUSTER_NAME" "$IMAGE_ARCHIVE"',
                update=":",  # only its place has changed: what it holds is a trigger
                environment={"CLUSTER_NAME": args.cluster_name, "IMAGE_ARCHIVE": archive},
                triggers=[content_of(Path(archive)), identity],
                logging=local.Logging.STDERR,
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=before,
                    deleted_with=cluster,
                    custom_timeouts=pulumi.CustomTimeouts(create="30m"),
                ),
            )
            loaded.append(LoadedArchive(images=images, loaded=load))
        return loaded


class LostDockerError(pulumi.RunError):
    """Docker, or the cluster's node, does not run; the message says how to go on."""


def standing(owner: str, args: KindClusterArgs) -> str:
    """The word of this stack's cluster, a new one where it is gone or not made yet. Raises LostDockerError."""
    try:
        return creation_word(owner, args.cluster_name, args.http_port, lambda: announce(args))
    except CommandError as error:
        raise LostDockerError(str(error)) from None


def announce(args: KindClusterArgs) -> None:
    """Say how much a new cluster downloads, where that is known."""
    node_is_there = shutil.which("docker") is None or present(args.node_image)
    if downloads := told([*([] if node_is_there else [NODE]), *args.downloads]):
        pulumi.log.info(downloads)


def kind_configuration(http_port: int, network: Network = NOTHING) -> str:
    """The tutorial's kind configuration, as JSON (which is YAML), with what a network adds."""
    ingress = {"containerPort": INGRESS_NODE_PORT, "listenAddress": "127.0.0.1", "hostPort": http_port}
    mounts = {"extraMounts": network.mounts} if network.mounts else {}
    patches = {"containerdConfigPatches": network.containerd_patches} if network.containerd_patches else {}
    nodes = [{"role": "control-plane", "extraPortMappings": [ingress], **mounts}]
    kind = {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "nodes": nodes, **patches}
    return json.dumps(kind, sort_keys=True)


def cluster_identity(kubeconfig: str) -> str:
    """A name for this creation of the cluster: each creation makes a certificate authority of its own."""
    authority = yaml.safe_load(kubeconfig)["clusters"][0]["cluster"]["certificate-authority-data"]
    return hashlib.sha256(authority.encode()).hexdigest()[:16]

"""A Kubernetes cluster that the program did not create: what is put into it, and what is not touched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi.output import Unknown
from pulumi_command import local

from components.asked_cluster import VOLUME_CLAIM, AskedCluster
from components.manifests import Manifest
from components.objects import OWNER_ANNOTATION, Placement
from components.secret import GeneratedWord


class OwnershipError(pulumi.RunError):
    """The cluster has objects of the same names that this stack did not make; the message lists them all."""


class OtherClusterError(pulumi.RunError):
    """The context means another cluster than the one that the stack's objects are in; the message says the ways out."""


@dataclass(frozen=True, kw_only=True)
class ExistingClusterArgs:
    """Which cluster, and what will be put into it."""

    asked: AskedCluster
    path: str | None
    """Where the kubeconfig is; None: where kubectl looks for it. The provider reads it: no secret of it is in the
    state.
    """
    claims: Sequence[Manifest]
    """What the stack makes in the cluster, as far as it could be there already: kind, namespace and name count."""
    releases: Sequence[str] = ()
    """Helm releases, whose volumes an earlier stack could have left."""
    namespace: str = "default"
    """Where the Helm releases are."""


class ExistingCluster(pulumi.ComponentResource):
    """A cluster that stays. Nothing that is there is adopted: whatever this stack makes carries its word."""

    provider: kubernetes.Provider
    """Provider of the objects inside; it is there only when none of them belongs to anybody else."""
    placement: Placement
    """For what is put into the cluster."""

    def __init__(self, name: str, args: ExistingClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("knative-releases:index:ExistingCluster", name, None, opts)
        asked, identity = args.asked, args.asked.identity()
        owner = GeneratedWord(f"{name}-owner", secret=False, opts=pulumi.ResourceOptions(parent=self)).value

        def claimed(known: Sequence[str | Unknown]) -> str:
            # In the first preview neither is known: nothing in the cluster can be this stack's.
            word, made_for = ("" if isinstance(each, Unknown) else each for each in known)
            if made_for:
                refuse_other(pulumi.get_stack(), asked.context, made_for, identity)
            found = [*asked.there(outside(args.claims)), *asked.volumes(args.namespace, args.releases)]
            refuse_foreign(asked.context, args.namespace, found, word)
            return identity

        known = pulumi.Output.all(owner, self._made_for(name, identity))
        self.provider = kubernetes.Provider(
            f"{name}-provider",
            kubeconfig=args.path,
            context=asked.context,
            cluster_identifier=known.apply(claimed, run_with_unknowns=True),
            enable_server_side_apply=True,
            enable_config_map_mutable=True,  # else a changed ConfigMap is replaced under the pods that read it
            opts=pulumi.ResourceOptions(parent=self),
        )
        kubeconfig = pulumi.Output.secret(json.dumps(asked.kubeconfig))
        self.placement = Placement(kubeconfig=kubeconfig, owner=owner)
        self.register_outputs({})

    def _made_for(self, name: str, identity: str) -> pulumi.Output[str]:
        """The identity of the cluster that the stack was first put into, kept in its state.

        All that the state says of the provider is a context, which may mean another cluster tomorrow: what goes would
        be deleted there.
        """
        kept = local.Command(
            f"{name}-made-for",
            create='printf %s "$CLUSTER_IDENTITY"',
            update='printf %s "$PULUMI_COMMAND_STDOUT"',
            environment={"CLUSTER_IDENTITY": identity},
            logging=local.Logging.NONE,
            # Else another cluster's would be an update, and a preview would not know what that prints.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["environment"]),
        )
        return kept.stdout


def refuse_other(stack: str, context: str, made_for: str, identity: str) -> None:
    """Raise OtherClusterError where the identities of two clusters differ. Pure."""
    if made_for == identity:
        return
    raise OtherClusterError(
        f"the context {context} means another cluster than the one that this stack was put into: the UID of its "
        f"namespace kube-system is {identity}, and was {made_for}. Nothing was changed. Do not run pulumi destroy: it "
        "asks nobody, and would delete what has the same names in that other cluster.\n"
        "The old cluster is there: let the context mean it again, or name the one that does: pulumi config set --path "
        "'knative-releases:cluster.context' <context>\n"
        "The old cluster is gone: let the state forget what was in it, and make it here: "
        f"pulumi stack rm --force --preserve-config {stack} && make up\n"
        "Both clusters are wanted: give the other one a stack of its own: pulumi stack init <name>"
    )


def outside(claims: Sequence[Manifest]) -> list[Manifest]:
    """The claims without those inside of claimed namespaces: whose namespace it is, whose is what is in it. Pure."""
    spaces = {claim["metadata"]["name"] for claim in claims if claim["kind"] == "Namespace"}
    return [claim for claim in claims if claim["metadata"].get("namespace") not in spaces]


def refuse_foreign(context: str, namespace: str, found: Sequence[Mapping[str, Any]], owner: str) -> None:
    """Raise OwnershipError where an object does not carry the owner's word. Pure.

    namespace: of the volumes' claims.
    """
    foreign: dict[str, list[str]] = {}
    for each in found:
        metadata = each["metadata"]
        if metadata.get("annotations", {}).get(OWNER_ANNOTATION) != owner:
            foreign.setdefault(each["kind"], []).append(metadata["name"])
    if not foreign:
        return
    ways = ["Take another cluster: pulumi config set --path 'knative-releases:cluster.context' <context>"]
    if "knative-serving" in foreign.get("Namespace", []):
        ways.insert(
            0, "Use the Knative that is there: pulumi config set --path 'knative-releases:knative.install' false"
        )
    if claims := " ".join(sorted(foreign.get(VOLUME_CLAIM, []))):
        deletion = f"kubectl --context {context} delete pvc --namespace {namespace} {claims}"
        ways.insert(0, f"Delete the volumes that an earlier stack left, data included: {deletion}")
    raise OwnershipError(
        "\n".join(
            [
                f"the cluster of the context {context} has what this stack would make, and this stack did not make it. "
                "It is left alone, and nothing was changed:",
                *(f"  - {kind} {', '.join(sorted(set(names)))}" for kind, names in sorted(foreign.items())),
                *ways,
            ]
        )
    )

"""A Kubernetes cluster that the program did not create: what is put into it, and what is not touched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi.output import Unknown
from pulumi_command import local

from components.cluster.asked import AskedCluster
from components.cluster.objects import Placement
from components.cluster.ownership import refuse_foreign
from components.manifests import Manifest
from components.secret import GeneratedWord


@dataclass(frozen=True, kw_only=True)
class ExistingClusterArgs:
    """Which cluster, and what will be put into it."""

    asked: AskedCluster
    path: str | None
    """Where the kubeconfig is; None: where kubectl looks for it. The provider reads it: no secret of it is in the
    state.
    """
    claims: Sequence[Manifest]
    """What the stack makes in the cluster, as far as it could be there already: API version, kind, namespace and name
    count. With `ownerReferences` it is Knative that makes the object, for what these name; with TAKEN_OVER as its owner
    it may be one that no stack made.
    """
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
                asked.refuse_other(made_for, pulumi.get_stack())
            found = [*asked.there(outside(args.claims)), *asked.volumes(args.namespace, args.releases)]
            refuse_foreign(asked.context, args.namespace, found, word)
            return identity

        self._name, self._args, self._made_for = name, args, self._kept(name, identity)
        known = pulumi.Output.all(owner, self._made_for)
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

    def guard(self, inside: Sequence[pulumi.Resource]) -> None:
        """Have `pulumi destroy`, which does not run the program, ask whether the context still means this cluster
        before it deletes any of these.
        """
        self._at_destroy("guard", "same_cluster", inside, {"CLUSTER_IDENTITY": self._made_for})

    def farewell(self, services: Sequence[str], knative: Sequence[pulumi.Resource]) -> pulumi.Resource:
        """Have `pulumi destroy` wait, after the services and before Knative, until the services' ingresses are gone.

        What it returns is to be ready before the services are made, so that it goes after them.
        """
        wanted = {"NAMESPACE": self._args.namespace, "SERVICES": " ".join(services)}
        return self._at_destroy("farewell", "ingresses_gone", knative, wanted)

    def _at_destroy(
        self, name: str, command: str, before: Sequence[pulumi.Resource], environment: Mapping[str, pulumi.Input[str]]
    ) -> pulumi.Resource:
        """A command that `pulumi destroy` runs before it deletes some resources; its failure keeps them."""
        return local.Command(
            f"{self._name}-{name}",
            delete=f"exec sh components/commands/run.sh {command}",
            environment={
                "CLUSTER_CONTEXT": self._args.asked.context,
                "CLUSTER_KUBECONFIG": self._args.path or "",
                "STACK": pulumi.get_stack(),
                **environment,
            },
            logging=local.Logging.NONE,  # the error of a failed deletion says all of it
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(before)),
        )

    def _kept(self, name: str, identity: str) -> pulumi.Output[str]:
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


def outside(claims: Sequence[Manifest]) -> list[Manifest]:
    """The claims without those inside of claimed namespaces: whose namespace it is, whose is what is in it. Pure."""
    spaces = {claim["metadata"]["name"] for claim in claims if claim["kind"] == "Namespace"}
    return [claim for claim in claims if claim["metadata"].get("namespace") not in spaces]

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

from components.cluster.asked import VOLUME_CLAIM, AskedCluster, Found
from components.cluster.client import GROUP
from components.cluster.objects import OWNER_ANNOTATION, Placement
from components.manifests import Manifest
from components.secret import GeneratedWord

_PLAIN_SERVICE, _KNATIVE_SERVICE = "Kubernetes Service", "Knative Service"
TAKEN_OVER = "taken-over"
"""In the place of an owner's word: of an object that the settings ask to take over."""


class OwnershipError(pulumi.RunError):
    """The cluster has objects of the same names that this stack did not make; the message lists them all."""


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


def refuse_foreign(context: str, namespace: str, found: Sequence[Found], owner: str) -> None:
    """Raise OwnershipError where an object is not this stack's. Pure.

    namespace: of the services and of the volumes' claims.
    owner: the stack's word.
    """
    foreign: dict[str, list[str]] = {}
    for claim, metadata in found:
        if not _ours(claim, metadata, owner):
            foreign.setdefault(_kind(claim), []).append(metadata["name"])
    if not foreign:
        return
    raise OwnershipError(
        "\n".join(
            [
                f"the cluster of the context {context} has what this stack would make, and this stack did not make it. "
                "It is left alone, and nothing was changed:",
                *(f"  - {kind} {', '.join(sorted(set(names)))}" for kind, names in sorted(foreign.items())),
                *_ways(context, namespace, foreign),
            ]
        )
    )


def _ways(context: str, namespace: str, foreign: Mapping[str, Sequence[str]]) -> list[str]:
    """What a person can do about it, the nearest first."""
    kubectl, ways = f"kubectl --context {context}", []
    if claims := " ".join(sorted(foreign.get(VOLUME_CLAIM, []))):
        deletion = f"{kubectl} delete pvc --namespace {namespace} {claims}"
        ways.append(f"Delete the volumes that an earlier stack left, data included: {deletion}")
    if "knative-serving" in foreign.get("Namespace", []):
        ways.append("Use the Knative that is there: pulumi config set --path 'knative-releases:knative.install' false")
    if services := " ".join(sorted(foreign.get(_PLAIN_SERVICE, []))):
        ways.append(
            "Knative makes a Kubernetes Service of its own under the name of each service, and of each tag as "
            f"<tag>-<service>. Whose these are: {kubectl} describe services --namespace {namespace} {services}"
        )
    for service in sorted(foreign.get(_KNATIVE_SERVICE, [])):
        command = f"pulumi config set --path 'knative-releases:services.{service}.takeOver' true"
        ways.append(f"Take {service} over, unless another stack made it: {command}")
    return [*ways, "Take another cluster: pulumi config set --path 'knative-releases:cluster.context' <context>"]


def _ours(claim: Manifest, metadata: Mapping[str, Any], owner: str) -> bool:
    """Whether an object carries the stack's word, or Knative made it for an object that is claimed by itself."""
    wanted, word = (each.get("annotations", {}).get(OWNER_ANNOTATION) for each in (claim["metadata"], metadata))
    if word == owner or (word is None and wanted == TAKEN_OVER):
        return True
    makers = {(maker["kind"], maker["name"]) for maker in claim["metadata"].get("ownerReferences", [])}
    return any((each["kind"], each["name"]) in makers for each in metadata.get("ownerReferences", []))


def _kind(claim: Manifest) -> str:
    """Its kind, as a person tells Knative's kinds from the built-in ones of the same name."""
    if claim["apiVersion"].startswith(f"{GROUP}/"):
        return f"Knative {claim['kind']}"
    return _PLAIN_SERVICE if claim["kind"] == "Service" else str(claim["kind"])

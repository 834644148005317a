"""Whose an object of a cluster that stays is: the stack's own, or somebody else's, which it leaves alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.cluster.asked import VOLUME_CLAIM, Found
from components.cluster.client import GROUP
from components.cluster.objects import OWNER_ANNOTATION
from components.manifests import FIELD_MANAGER, Manifest

_PLAIN_SERVICE, _KNATIVE_SERVICE = "Kubernetes Service", "Knative Service"
TAKEN_OVER = "taken-over"
"""In the place of an owner's word: of an object that the settings ask to take over."""


class OwnershipError(pulumi.RunError):
    """The cluster has objects of the same names that this stack did not make; the message lists them all."""


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
    if word == owner or (word is None and wanted == TAKEN_OVER and not _of_a_stack(metadata)):
        return True
    makers = {(maker["kind"], maker["name"]) for maker in claim["metadata"].get("ownerReferences", [])}
    return any((each["kind"], each["name"]) in makers for each in metadata.get("ownerReferences", []))


def _of_a_stack(metadata: Mapping[str, Any]) -> bool:
    """Whether this program wrote the object: without a word on it, for a stack whose own cluster this is."""
    return any(each.get("manager") == FIELD_MANAGER for each in metadata.get("managedFields") or [])


def _kind(claim: Manifest) -> str:
    """Its kind, as a person tells Knative's kinds from the built-in ones of the same name."""
    if claim["apiVersion"].startswith(f"{GROUP}/"):
        return f"Knative {claim['kind']}"
    return _PLAIN_SERVICE if claim["kind"] == "Service" else str(claim["kind"])

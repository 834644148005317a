"""A Knative Serving that is in the cluster already: whether the releases can run on it. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.asked_cluster import AskedCluster
from components.knative import FEATURES, NAMESPACE
from components.knative_versions import OLDEST, VERSION_LABEL, as_numbers
from components.kourier import INGRESS_CLASS

_CONFIG_MAPS = ("config-features", "config-network", "config-domain")
_DEPLOYMENTS = ("controller", "webhook", "activator", "autoscaler")


class UnfitKnativeError(pulumi.RunError):
    """The Knative in the cluster lacks what the releases need; the message lists it all, with the commands."""


@dataclass(frozen=True, kw_only=True)
class InstalledKnative:
    """What of the cluster's Knative the program uses."""

    version: str
    domain: str
    """Domain of the services' URLs."""


def look(cluster: AskedCluster, domain: str | None) -> InstalledKnative:
    """Look at the cluster's Knative. Raises UnfitKnativeError that lists everything missing.

    domain: the one that the services' URLs are to have; None: the cluster's own.
    """
    space = cluster.get(f"/api/v1/namespaces/{NAMESPACE}")
    maps = {name: _data(cluster, name) for name in _CONFIG_MAPS}
    deployments = {
        name: cluster.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}") for name in _DEPLOYMENTS
    }
    if space is None:
        problems = [f"there is no namespace {NAMESPACE}. To have Knative installed: {_set('install', 'true')}"]
    else:
        problems = list(lacks(deployments, maps, domain, f"kubectl --context {cluster.context}"))
    if problems:
        told = "\n".join(f"  - {problem}" for problem in problems)
        raise UnfitKnativeError(
            f"the Knative in the cluster of the context {cluster.context} cannot be used; nothing was changed:\n{told}"
        )
    return InstalledKnative(
        version=version_of(deployments["controller"] or {}), domain=domain or domains(maps["config-domain"])[0]
    )


def lacks(
    deployments: Mapping[str, Mapping[str, Any] | None],
    maps: Mapping[str, Mapping[str, str]],
    domain: str | None,
    kubectl: str,
) -> Iterator[str]:
    """What the releases need and the cluster's Knative does not have, each with the way out. Pure."""
    for name, deployment in deployments.items():
        if deployment is None or not deployment.get("status", {}).get("availableReplicas"):
            yield f"its {name} is not there or not available: {kubectl} get deployments --namespace {NAMESPACE}"
    controller = deployments["controller"]
    if controller is not None:
        found = version_of(controller)
        if as_numbers(found) < as_numbers(OLDEST):
            yield f"its version is {found or 'not told'}; wanted {OLDEST} or newer: upgrade it, or take another cluster"
    off = [flag for flag in FEATURES if maps["config-features"].get(flag, "").lower() != "enabled"]
    if off:
        yield f"features are off: {', '.join(off)}. {_patch(kubectl, 'config-features', dict.fromkeys(off, 'Enabled'))}"
    # The key has been written in both ways; Knative reads either.
    network = maps["config-network"]
    ingress = network.get("ingress-class") or network.get("ingress.class") or "none (that is Istio's)"
    if ingress != INGRESS_CLASS:
        yield f"its ingress class is {ingress}. {_patch(kubectl, 'config-network', {'ingress-class': INGRESS_CLASS})}"
    known = domains(maps["config-domain"])
    if not known:
        yield (
            "it has no domain, so services have no URL outside the cluster. "
            f"{_patch(kubectl, 'config-domain', {domain or '<domain>': ''})}"
        )
    elif domain and domain not in known:
        yield f"its domain is {', '.join(known)} and not {domain}: pulumi config rm --path '{_key('domain')}'"


def version_of(controller: Mapping[str, Any]) -> str:
    """The version that Knative's controller is labelled with; empty where it is not. Pure."""
    version: str = controller.get("metadata", {}).get("labels", {}).get(VERSION_LABEL, "")
    return version.removeprefix("v")


def domains(config_domain: Mapping[str, str]) -> list[str]:
    """The domains for services of any labels, as config-domain has them. Pure."""
    return [name for name, selector in config_domain.items() if not name.startswith("_") and not selector.strip()]


def _data(cluster: AskedCluster, name: str) -> dict[str, str]:
    found = cluster.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/{name}")
    return dict((found or {}).get("data") or {})


def _patch(kubectl: str, name: str, data: Mapping[str, str]) -> str:
    patch = json.dumps({"data": dict(data)})
    return f"{kubectl} patch configmap {name} --namespace {NAMESPACE} --type merge --patch '{patch}'"


def _key(name: str) -> str:
    return f"knative-releases:knative.{name}"


def _set(name: str, value: str) -> str:
    return f"pulumi config set --path '{_key(name)}' {value}"

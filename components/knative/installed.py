"""A Knative Serving that is in the cluster already: whether the releases can run on it. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.cluster.asked import AskedCluster
from components.knative.features import CONFIG_MAP as FEATURES_MAP
from components.knative.features import off
from components.knative.kourier import INGRESS_CLASS
from components.knative.serving import NAMESPACE, TAG_FEATURE
from components.sources.knative_versions import OLDEST, VERSION_LABEL, as_numbers

_CONFIG_MAPS = (FEATURES_MAP, "config-network", "config-domain")
DEFAULT_INGRESS_CLASS = "istio.ingress.networking.knative.dev"
"""Knative's own, where config-network names none."""
DEFAULT_TAG_TEMPLATE = "{{.Tag}}-{{.Name}}"
"""Knative's own, where config-network has none."""
_SPACE = f"/api/v1/namespaces/{NAMESPACE}"
_DEPLOYMENTS = ("controller", "webhook", "activator", "autoscaler")


class UnfitKnativeError(pulumi.RunError):
    """The Knative in the cluster lacks what the releases need; the message lists it all, with the commands."""


@dataclass(frozen=True, kw_only=True)
class InstalledKnative:
    """What of the cluster's Knative the program uses."""

    version: str
    domain: str
    """Domain of the services' URLs, as far as one is known before they are made."""
    ingress_class: str
    """Name of the ingress that routes the requests."""
    tag_template: str
    """How the name of a tag's Kubernetes Service is made: a Go template over the tag and the service's name."""

    @property
    def has_kourier(self) -> bool:
        """Whether the gateway is Kourier's, whose statistics a guided rollout can read."""
        return self.ingress_class == INGRESS_CLASS


def look(cluster: AskedCluster, domain: str | None, flags: Mapping[str, str]) -> InstalledKnative:
    """Look at the cluster's Knative. Raises UnfitKnativeError that lists everything missing.

    domain: the one that the services' URLs are to have; None: the cluster's own.
    flags: features of Knative that the services need, each with what needs it.
    """
    space = cluster.get(_SPACE)
    maps = {name: _data(cluster, name) for name in _CONFIG_MAPS}
    deployments = {name: cluster.get(_deployment(name)) for name in _DEPLOYMENTS}
    if space is None:
        problems = [f"there is no namespace {NAMESPACE}. To have Knative installed: {_set('install', 'true')}"]
    else:
        problems = list(lacks(deployments, maps, domain, flags, f"kubectl --context {cluster.context}"))
    if problems:
        told = "\n".join(f"  - {problem}" for problem in problems)
        raise UnfitKnativeError(
            f"the Knative in the cluster of the context {cluster.context} cannot be used; nothing was changed:\n{told}"
        )
    return InstalledKnative(
        version=version_of(deployments["controller"] or {}),
        domain=domain or domains(maps["config-domain"])[0],
        ingress_class=ingress_class(maps["config-network"]),
        tag_template=maps["config-network"].get("tag-template") or DEFAULT_TAG_TEMPLATE,
    )


def lacks(
    deployments: Mapping[str, Mapping[str, Any] | None],
    maps: Mapping[str, Mapping[str, str]],
    domain: str | None,
    flags: Mapping[str, str],
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
    if missing := off({TAG_FEATURE: "tags by header", **flags}, maps[FEATURES_MAP]):
        reasons = ", ".join(f"{flag} ({reason})" for flag, reason in missing.items())
        yield f"features are off: {reasons}. {_patch(kubectl, FEATURES_MAP, dict.fromkeys(missing, 'enabled'))}"
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


def ingress_class(config_network: Mapping[str, str]) -> str:
    """The ingress that config-network names; the key has been written in both ways, and Knative reads either. Pure."""
    return config_network.get("ingress-class") or config_network.get("ingress.class") or DEFAULT_INGRESS_CLASS


def _data(cluster: AskedCluster, name: str) -> dict[str, str]:
    data: Mapping[str, str] = (cluster.get(_config_map(name)) or {}).get("data") or {}
    return {key: value for key, value in data.items() if not key.startswith("_")}


def looked_at() -> list[str]:
    """The paths of the API that `look` reads. Pure."""
    return [_SPACE, *map(_config_map, _CONFIG_MAPS), *map(_deployment, _DEPLOYMENTS)]


def _config_map(name: str) -> str:
    return f"{_SPACE}/configmaps/{name}"


def _deployment(name: str) -> str:
    return f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}"


def _patch(kubectl: str, name: str, data: Mapping[str, str]) -> str:
    patch = json.dumps({"data": dict(data)})
    return (
        "Whoever runs the cluster decides: this changes it for every service in the cluster: "
        f"{kubectl} patch configmap {name} --namespace {NAMESPACE} --type merge --patch '{patch}'"
    )


def _key(name: str) -> str:
    return f"knative-releases:knative.{name}"


def _set(name: str, value: str) -> str:
    return f"pulumi config set --path '{_key(name)}' {value}"

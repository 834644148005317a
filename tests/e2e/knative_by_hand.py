"""A Knative that somebody else put into a cluster: installed by hand, and what it is."""

from __future__ import annotations

import json
from typing import Any

import yaml

from components.knative.kourier import INGRESS_CLASS
from components.manifests import merge_config_map, redirect_images, small_requests, transformed
from components.sources.images import ImageMap
from components.sources.release_manifests import ManifestSource
from settings import Knative
from settings.model import Sources
from tests.e2e.bare_cluster import BareCluster
from tests.e2e.environment import SOURCES, eventually


def install_by_hand(cluster: BareCluster) -> None:
    """Knative as somebody else installs it: the release's manifests, with nothing set but the ingress."""
    sources = Sources.model_validate(yaml.safe_load(SOURCES.read_text()) if SOURCES.exists() else {})
    source, knative = ManifestSource(sources.manifests), Knative()
    redirected = redirect_images(ImageMap(sources.images).redirected)
    # Not patched afterwards: the webhook that admits a patch is only starting then.
    ingress = merge_config_map("knative-serving", "config-network", {"ingress-class": INGRESS_CLASS})
    for repository, version, file in (
        ("serving", knative.version, "serving-crds.yaml"),
        ("serving", knative.version, "serving-core.yaml"),
        ("net-kourier", knative.kourier_version, "kourier.yaml"),
    ):
        manifests = transformed(source.load(repository, version, file), redirected, small_requests, ingress)
        cluster.environment.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(manifests))
    for namespace in ("knative-serving", "kourier-system"):
        waited = ["deployment", "--all", "--namespace", namespace, "--timeout=110s"]
        cluster.environment.kubectl("wait", "--for=condition=Available", *waited)
    with cluster.balanced():
        eventually(60, "an address", lambda: address(cluster))


def address(cluster: BareCluster) -> Any:
    """What Kourier's Service has as its address."""
    (service,) = (s for s in cluster.objects("services", "-n", "kourier-system") if s["metadata"]["name"] == "kourier")
    return service["status"]["loadBalancer"].get("ingress")


def configuration(cluster: BareCluster) -> str:
    """What the cluster's Knative is: data of its ConfigMaps, specs of its Deployments."""
    found = cluster.objects("configmaps,deployments", "--namespace", "knative-serving")
    return json.dumps(
        [(each["metadata"]["name"], each.get("data"), each.get("spec")) for each in found], sort_keys=True
    )

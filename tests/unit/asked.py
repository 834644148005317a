"""A cluster that is there already, for tests: it answers from a table of paths. It stands in for the Kubernetes API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.cluster.api_paths import is_collection, question
from components.cluster.asked import AskedCluster, RefusedError
from components.knative.kourier import INGRESS_CLASS
from components.knative.serving import FEATURES

UID = "uid-of-kube-system"
CONTEXT = "theirs"
SPACE = "/api/v1/namespaces"
KNATIVE = f"{SPACE}/knative-serving"
CONFIG_MAPS = f"{KNATIVE}/configmaps"


def named(kind: str, name: str, **rest: Any) -> dict[str, Any]:
    """An object as the API gives it."""
    return {"kind": kind, "metadata": {"name": name}, **rest}


def knative(version: str = "1.10.2", **data: Mapping[str, str]) -> dict[str, Any]:
    """A Knative on which the releases can run, by path. data: of its ConfigMaps (`features`, `network`, `domain`)."""
    fit: dict[str, Mapping[str, str]] = {
        "features": dict.fromkeys(FEATURES, "enabled"),
        "network": {"ingress-class": INGRESS_CLASS},
        "domain": {"example.test": "", "special.test": "selector: {a: b}", "_example": "text"},
    }
    found: dict[str, Any] = {KNATIVE: named("Namespace", "knative-serving")}
    for name, given in {**fit, **data}.items():
        found[f"{CONFIG_MAPS}/config-{name}"] = named("ConfigMap", name, data=dict(given))
    for name in ("controller", "webhook", "activator", "autoscaler"):
        deployment = named("Deployment", name, status={"availableReplicas": 1})
        deployment["metadata"]["labels"] = {"app.kubernetes.io/version": version}
        found[f"/apis/apps/v1/namespaces/knative-serving/deployments/{name}"] = deployment
    return found


class TableCluster(AskedCluster):
    """Answers from a table; keeps what it was asked for."""

    def __init__(self, objects: Mapping[str, Any] | None = None, refused: Sequence[str] = ()) -> None:
        """refused: beginnings of the paths that the user may not read."""
        self.context, self.kubeconfig = CONTEXT, {"current-context": CONTEXT, "users": []}
        kube_system = {"kind": "Namespace", "metadata": {"name": "kube-system", "uid": UID}}
        self.objects: dict[str, Any] = {f"{SPACE}/kube-system": kube_system, **(objects or {})}
        self.refused = refused
        self.paths: list[str] = []
        self._known = {}

    def read(self, path: str) -> dict[str, Any] | None:
        """The object in the table, or those that are in it below a collection's path."""
        self.paths.append(path)
        if path.startswith(tuple(self.refused)):
            raise RefusedError(CONTEXT, [question(path)])
        if not is_collection(path):
            found: dict[str, Any] | None = self.objects.get(path)
            return found
        below = [each for name, each in self.objects.items() if name.rpartition("/")[0] == path]
        # So a real API server has it where there are none: null, and no empty list.
        return {"items": [{"metadata": each["metadata"]} for each in below] or None}

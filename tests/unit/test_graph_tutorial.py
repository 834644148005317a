"""Without any setting the program makes what the tutorial makes by hand; its deviations are named here, one by one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from settings import Settings
from tests.unit.recording import Recorded, record

HOSTS = ".default.svc.cluster.local"
KAFKA = ("KAFKA_URL", f"kafka{HOSTS}")
AGENDA, C4P, NOTIFICATIONS = [
    (f"{name}_SERVICE_URL", f"http://{name.lower()}{tail}{HOSTS}")
    for name, tail in (("AGENDA", "-service"), ("C4P", "-service"), ("NOTIFICATIONS", "-service"))
]
POD = [
    ("POD_NODENAME", "field spec.nodeName"),
    ("POD_NAME", "field metadata.name"),
    ("POD_NAMESPACE", "field metadata.namespace"),
    ("POD_IP", "field status.podIP"),
    ("POD_SERVICE_ACCOUNT", "field spec.serviceAccountName"),
]
# Image without docker.io and tag, pods kept at least, environment in the tutorial's order.
TUTORIAL: Mapping[str, tuple[str, str | None, list[tuple[str, str]]]] = {
    "frontend": ("frontend-go-1739aa83b5e69d4ccb8a5615830ae66c", "1", [KAFKA, AGENDA, C4P, NOTIFICATIONS, *POD]),
    "c4p-service": (
        "c4p-service-a3dc0474cbfa348afcdf47a8eee70ba9",
        None,
        [
            KAFKA,
            ("POSTGRES_HOST", f"postgresql{HOSTS}"),
            ("POSTGRES_PASSWORD", "secret postgresql postgres-password"),
            AGENDA,
            NOTIFICATIONS,
            *POD,
        ],
    ),
    "agenda-service": (
        "agenda-service-0967b907d9920c99918e2b91b91937b3",
        None,
        [KAFKA, ("REDIS_HOST", f"redis-master{HOSTS}"), ("REDIS_PASSWORD", "secret redis redis-password"), *POD],
    ),
    "notifications-service": ("notifications-service-0e27884e01429ab7e350cb5dff61b525", "1", [KAFKA, *POD]),
}


@cache
def tutorial(manifests: Path) -> Recorded:
    """The program without any setting."""
    recorded = record({}, manifests)
    assert recorded.error is None, f"the program ended: {recorded.error!r}"
    return recorded


def said(variable: Mapping[str, Any]) -> tuple[str, str]:
    """An environment variable as the table above says it."""
    source = variable.get("valueFrom", {})
    if "fieldRef" in source:
        return variable["name"], f"field {source['fieldRef']['fieldPath']}"
    if "secretKeyRef" in source:
        return variable["name"], f"secret {source['secretKeyRef']['name']} {source['secretKeyRef']['key']}"
    return variable["name"], variable["value"]


def knative_service(recorded: Recorded, name: str) -> Mapping[str, Any]:
    """Spec of a Knative Service."""
    found = [r for r in recorded.resources if r.type == "kubernetes:serving.knative.dev/v1:Service" and r.name == name]
    assert len(found) == 1, f"{len(found)} services {name}"
    spec: Mapping[str, Any] = found[0].inputs["spec"]
    return spec


def config_map(recorded: Recorded, name: str) -> Mapping[str, str]:
    """Data of a ConfigMap of Knative Serving."""
    data: Mapping[str, str] = recorded.one("ConfigMap", f"knative-serving/{name}").inputs["data"]
    return data


@pytest.mark.parametrize("name", TUTORIAL)
def test_a_service_is_the_tutorials(name: str, small: Path) -> None:
    image, min_scale, env = TUTORIAL[name]
    spec = knative_service(tutorial(small), name)
    container = spec["template"]["spec"]["containers"][0]
    assert len(spec["template"]["spec"]["containers"]) == 1, "a container beside the tutorial's"
    assert container["image"] == f"docker.io/salaboy/{image}:v1.0.0", "another image than the tutorial's"
    assert [said(variable) for variable in container["env"]] == env, "another environment than the tutorial's"
    annotations = spec["template"]["metadata"].get("annotations", {})
    wanted = {"autoscaling.knative.dev/min-scale": min_scale} if min_scale else {}
    assert annotations == wanted, "it scales otherwise than in the tutorial"


@pytest.mark.parametrize("name", TUTORIAL)
def test_a_service_without_tracks_sends_everything_to_its_own_revision(name: str, small: Path) -> None:
    spec = knative_service(tutorial(small), name)
    revision = spec["template"]["metadata"]["name"]
    assert spec["traffic"] == [{"revisionName": revision, "percent": 100, "latestRevision": False}]


def test_there_are_the_tutorials_four_services_and_nothing_beside_them(small: Path) -> None:
    found = [r for r in tutorial(small).resources if "serving.knative.dev/" in r.type]
    assert {(r.kind, r.name) for r in found} == {("Service", name) for name in TUTORIAL}


def test_the_kind_configuration_is_the_tutorials_and_has_an_owner(small: Path) -> None:
    inputs = tutorial(small).one("Command", "cluster-kind").inputs
    configuration = json.loads(inputs["environment"]["CLUSTER_CONFIG"])
    assert (configuration["kind"], configuration["apiVersion"]) == ("Cluster", "kind.x-k8s.io/v1alpha4")
    (node,) = configuration["nodes"]
    assert node["role"] == "control-plane", "another node than the tutorial's"
    mapping = {"containerPort": 31080, "listenAddress": "127.0.0.1", "hostPort": 80}
    assert node["extraPortMappings"] == [mapping], "the tutorial's URLs reach nothing, or strangers reach the cluster"
    assert inputs["environment"]["CLUSTER_OWNER"], "the program cannot tell its own cluster"
    assert inputs["environment"]["CLUSTER_NAME"] == "dev", "another name than the tutorial's"


def test_the_tutorials_three_patches_are_in_the_release_and_have_one_owner(manifests: Path) -> None:
    recorded = tutorial(manifests)
    assert config_map(recorded, "config-network")["ingress-class"] == "kourier.ingress.networking.knative.dev"
    assert config_map(recorded, "config-domain")["127.0.0.1.sslip.io"] == ""
    features = config_map(recorded, "config-features")
    wanted = {"tag-header-based-routing": "Enabled", "kubernetes.podspec-fieldref": "Enabled"}
    assert wanted.items() <= features.items(), "tags by header or the pods' own fields do not work"
    maps = [
        (r.inputs["metadata"]["name"], r.inputs["metadata"].get("namespace")) for r in recorded.of_kind("ConfigMap")
    ]
    assert len(maps) == len(set(maps)), "two resources own one ConfigMap"


def test_old_revisions_are_collected_by_number_and_not_by_age(manifests: Path) -> None:
    rule = {k: v for k, v in config_map(tutorial(manifests), "config-gc").items() if k != "_example"}
    ages = {rule.pop("retain-since-create-time"), rule.pop("retain-since-last-active-time")}
    assert ages == {"disabled"}, "a revision goes at a time that nobody can tell"
    assert rule == {"min-non-active-revisions": "3", "max-non-active-revisions": "3"}, (
        "another number than the README's is kept, or Knative refuses the rule: its own least number is 20"
    )


def test_queue_proxies_tell_by_which_way_a_request_came(manifests: Path) -> None:
    said = config_map(tutorial(manifests), "config-observability")
    assert said["metrics.request-metrics-backend-destination"] == said["request-metrics-protocol"] == "prometheus", (
        "the analysis of a rollout takes previews and its own probes for users"
    )


def test_the_node_port_is_the_tutorials(small: Path) -> None:
    inputs = tutorial(small).one("Service", "kourier-system/kourier-ingress").inputs
    assert inputs["metadata"]["labels"] == {"networking.knative.dev/ingress-provider": "kourier"}
    assert inputs["spec"] == {
        "type": "NodePort",
        "selector": {"app": "3scale-kourier-gateway"},
        "ports": [{"name": "http2", "nodePort": 31080, "port": 80, "targetPort": 8080}],
    }


def release(manifests: Path, name: str, version: str) -> Mapping[str, Any]:
    """Values of a store's Helm release, without `image` and the word on it; checks chart and version."""
    inputs = tutorial(manifests).one("Release", name).inputs
    assert Path(inputs["chart"]).name.startswith(f"{name}-{version}-"), "another chart than the tutorial's"
    assert Settings().sources.charts == "oci://registry-1.docker.io/bitnamicharts", "it comes from elsewhere"
    assert (inputs["name"], inputs["namespace"]) == (name, "default"), "another release"
    image = inputs["values"]["image"]
    # Deviation: the images left docker.io/bitnami, where the charts of these versions look for them.
    assert (image["registry"], image["repository"]) == ("docker.io", f"bitnamilegacy/{name}"), (
        "the image is no longer there"
    )
    # And newer charts take no image from another place without this word.
    shared = dict(inputs["values"]["global"])
    assert shared.pop("security") == {"allowInsecureImages": True}
    values = {key: value for key, value in inputs["values"].items() if key not in ("image", "global")}
    return {**values, "global": shared} if shared else values


def test_kafka_is_the_tutorials(small: Path) -> None:
    assert release(small, "kafka", "22.1.5") == {
        # Deviation: `enabled`, without which the chart makes no topic and the brokers' auto-creation hides it.
        "provisioning": {"enabled": True, "topics": [{"name": "events-topic", "partitions": 1}]},
        "persistence": {"size": "1Gi"},
    }


def test_postgresql_is_the_tutorials(small: Path) -> None:
    values = release(small, "postgresql", "12.5.7")
    password = values["global"]["postgresql"]["auth"]["postgresPassword"]
    assert password != "postgres", (
        "the tutorial's password is known to everybody"
    )  # deviation: generated, or the user's
    assert values == {
        "primary": {
            # Deviation: without `user` and `password`. The image runs the scripts as postgres with its own password,
            # and the chart would write a given one in plain text into the StatefulSet.
            "initdb": {"scriptsConfigMap": "c4p-init-sql"},
            "persistence": {"size": "1Gi"},
        },
        "global": {"postgresql": {"auth": {"postgresPassword": password}}},
    }
    # Deviation: without `image.debug`, which only makes the database log more.
    assert "debug" not in tutorial(small).one("Release", "postgresql").inputs["values"]["image"]


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("kafka", set()),
        ("postgresql", {("values", "global", "postgresql", "auth", "postgresPassword")}),
        ("redis", {("values", "auth", "password")}),
    ],
)
def test_a_chart_has_a_password_where_it_makes_a_secret_of_it_and_nowhere_else(
    name: str, paths: set[tuple[str, ...]], small: Path
) -> None:
    release_ = tutorial(small).one("Release", name)
    assert set(release_.secret_paths) == paths, "a StatefulSet shows it to who may not read Secrets"


@pytest.mark.parametrize(("name", "changes"), [("kafka", 1), ("postgresql", 2), ("redis", 2)])
def test_a_store_that_lives_is_looked_at_before_it_is_updated(name: str, changes: int, small: Path) -> None:
    hooks = tutorial(small).one("Release", name).before_hooks
    found = [hook for hook in hooks if hook in (f"default-{name}-volume", f"default-{name}-password")]
    assert len(found) == changes, "a volume or a password changes in the settings alone"


def test_redis_is_the_tutorials(small: Path) -> None:
    values = dict(release(small, "redis", "17.11.3"))
    assert values.pop("auth")["password"], "deviation: the chart would draw a new password at every upgrade"
    assert values == {"architecture": "standalone", "master": {"persistence": {"size": "1Gi"}}}


def test_the_databases_script_makes_the_tutorials_table(small: Path) -> None:
    script = tutorial(small).one("ConfigMap", "default/c4p-init-sql").inputs["data"]["init.sql"]
    assert script.startswith("CREATE TABLE proposals(") and script.endswith(");"), "c4p-service finds no table"
    columns = [column.split()[0] for column in script.removeprefix("CREATE TABLE proposals(").split(",")]
    assert columns == ["id", "title", "description", "author", "email", "approved", "status"], (
        "c4p-service finds no column"
    )

"""What stands between the cluster and the registries: read, refused, and put into the node and Knative's controller."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import certifi
import pytest

from tests.unit.kind_machine import Machine
from tests.unit.recording import Recorded, record
from tests.unit.test_graph_existing import EXISTING, existing

PROXY = "http://172.17.0.1:3128"
LOGIN = base64.b64encode(b"reader:the-password").decode()
END = "-----END CERTIFICATE-----\n"


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """A file with one certificate of an authority."""
    file = tmp_path / "company.pem"
    file.write_text(Path(certifi.where()).read_text().partition(END)[0] + END)
    return file


@pytest.fixture
def registries(tmp_path: Path) -> Path:
    """A folder with a login."""
    folder = tmp_path / "registries"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"auths": {"mirror.example": {"auth": LOGIN}}}))
    return folder


def program(manifests: Path, **settings: Any) -> Recorded:
    """A run of the program that comes to its end."""
    recorded = record(settings, manifests)
    assert recorded.error is None, f"the program ended: {recorded.error!r}"
    return recorded


def controller(recorded: Recorded) -> Mapping[str, Any]:
    """Pod template of Knative's controller."""
    template: Mapping[str, Any] = recorded.one("Deployment", "knative-serving/controller").inputs["spec"]["template"]
    return template


def variables(recorded: Recorded) -> dict[str, str]:
    """The controller's plain environment variables."""
    container = controller(recorded)["spec"]["containers"][0]
    return {each["name"]: each["value"] for each in container.get("env", []) if "value" in each}


def kind(recorded: Recorded) -> Mapping[str, Any]:
    """Inputs of the command that makes the cluster."""
    return recorded.one("Command", "cluster-kind").inputs


def test_the_proxy_reaches_the_node_and_the_controller(manifests: Path) -> None:
    recorded = program(manifests, network={"proxy": {"https": PROXY, "no": "registry.local,10.9.0.0/16"}})
    found = variables(recorded)
    assert found["HTTPS_PROXY"] == PROXY, "the controller cannot look up a digest behind a proxy"
    assert "HTTP_PROXY" not in found
    direct = found["NO_PROXY"].split(",")
    assert {"registry.local", "10.9.0.0/16"} <= set(direct)
    assert "$(KUBERNETES_SERVICE_HOST)" in direct, "the controller would ask the proxy for the Kubernetes API"
    assert ".svc" in direct, "a registry inside the cluster would be asked through the proxy"
    made_with = kind(recorded)["environment"]
    assert (made_with["HTTPS_PROXY"], made_with["NO_PROXY"]) == (PROXY, "registry.local,10.9.0.0/16")


def test_other_parts_of_knative_get_no_proxy(manifests: Path) -> None:
    recorded = program(manifests, network={"proxy": {"https": PROXY}})
    pods = {r.name: json.dumps(r.inputs) for r in recorded.of_kind("Deployment")}
    assert [name for name, text in pods.items() if PROXY in text] == ["knative-serving/controller"]


def test_a_company_ca_reaches_the_node_and_the_controller(manifests: Path, ca: Path) -> None:
    recorded = program(manifests, network={"ca": str(ca)})
    template, folder = controller(recorded), variables(recorded)["SSL_CERT_DIR"]
    mounts = {each["mountPath"]: each["name"] for each in template["spec"]["containers"][0]["volumeMounts"]}
    volumes = {each["name"]: each for each in template["spec"]["volumes"]}
    config_map = volumes[mounts[folder]]["configMap"]["name"]
    assert recorded.one("ConfigMap", f"knative-serving/{config_map}").inputs["data"] == {"ca.pem": ca.read_text()}
    node = json.loads(kind(recorded)["environment"]["CLUSTER_CONFIG"])["nodes"][0]
    assert [m["hostPath"] for m in node["extraMounts"] if m["containerPath"].startswith("/etc/ssl/certs/")] == [str(ca)]


def test_another_ca_restarts_the_controller_which_reads_it_at_its_start(manifests: Path, ca: Path) -> None:
    before = controller(program(manifests, network={"ca": str(ca)}))["metadata"]["annotations"]
    ca.write_text(ca.read_text() * 2)
    assert controller(program(manifests, network={"ca": str(ca)}))["metadata"]["annotations"] != before


def test_a_login_reaches_the_node_as_a_path_and_the_controller_as_a_secret(manifests: Path, registries: Path) -> None:
    recorded = program(manifests, network={"registries": str(registries)})
    template, folder = controller(recorded), variables(recorded)["DOCKER_CONFIG"]
    mounts = {each["mountPath"]: each["name"] for each in template["spec"]["containers"][0]["volumeMounts"]}
    volumes = {each["name"]: each for each in template["spec"]["volumes"]}
    secret = recorded.one("Secret", f"knative-serving/{volumes[mounts[folder]]['secret']['secretName']}")
    assert base64.b64decode(secret.inputs["data"]["config.json"]).decode() == (registries / "config.json").read_text()
    node = json.loads(kind(recorded)["environment"]["CLUSTER_CONFIG"])
    places = {m["containerPath"]: m for m in node["nodes"][0]["extraMounts"]}
    assert {"/etc/containerd/certs.d", "/.docker"} == set(places), "containerd and kubelet do not see the folder"
    assert all(m["hostPath"] == str(registries) and m["readOnly"] for m in places.values())
    assert "config_path" in node["containerdConfigPatches"][0], "older node images do not look into certs.d"
    plain = [path for r in recorded.resources for path, text in r.plain_texts() if LOGIN in text or "auths" in text]
    in_base64 = base64.b64encode((registries / "config.json").read_bytes()).decode()
    plain += [path for r in recorded.resources for path, text in r.plain_texts() if in_base64 in text]
    assert not plain, f"the login is plain text in the state: {plain}"


def test_a_folder_without_logins_is_enough_for_mirrors(manifests: Path, registries: Path) -> None:
    (registries / "config.json").unlink()
    recorded = program(manifests, network={"registries": str(registries)})
    assert "DOCKER_CONFIG" not in variables(recorded)


def test_what_the_node_is_made_with_replaces_it_and_nothing_does_where_nothing_is_set(
    manifests: Path, ca: Path, registries: Path
) -> None:
    plain = kind(program(manifests))["triggers"]
    ways: list[dict[str, Any]] = [{"proxy": {"http": PROXY}}, {"ca": str(ca)}, {"registries": str(registries)}]
    for way in ways:
        triggers = kind(program(manifests, network=way))["triggers"]
        assert triggers != plain, f"the node would be without {way}"
    assert len(plain) == 5, "an upgrade of the program would replace the clusters that are there"


def test_all_problems_are_told_at_once_and_nothing_is_made(small: Path, ca: Path, registries: Path) -> None:
    (registries / "config.json").write_text('{"auths": {"mirror.example": {}}, "credsStore": "desktop"}')
    ca.write_text("no certificate")
    proxy = {"http": "http://localhost:3128", "https": "http://127.0.0.1:3128"}
    recorded = record({"network": {"proxy": proxy, "ca": str(ca), "registries": str(registries)}}, small)
    told = str(recorded.error)
    for part in ("http://localhost:3128", "http://127.0.0.1:3128", "no PEM certificates", "does not hold the logins"):
        assert part in told
    assert not recorded.resources


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ({"ca": "nowhere.pem"}, "network.ca: nowhere.pem cannot be used: No such file"),
        ({"registries": "nowhere"}, "there is no folder nowhere"),
    ],
)
def test_what_is_missing_is_told(small: Path, network: dict[str, str], told: str) -> None:
    assert told in str(record({"network": network}, small).error)


def test_a_private_key_beside_the_certificates_is_refused(small: Path, ca: Path) -> None:
    ca.write_text(ca.read_text() + "-----BEGIN PRIVATE KEY-----\n")
    assert "holds a private key" in str(record({"network": {"ca": str(ca)}}, small).error)


def test_on_an_existing_cluster_the_controller_gets_them(small: Path, ca: Path) -> None:
    recorded = existing(small, network={"ca": str(ca), "proxy": {"https": PROXY}})
    assert recorded.error is None, f"the program ended: {recorded.error!r}"
    found = variables(recorded)
    assert found["HTTPS_PROXY"] == PROXY and "SSL_CERT_DIR" in found


def test_entries_of_knatives_config_maps_join_the_programs(manifests: Path) -> None:
    skipping = {"registries-skipping-tag-resolving": "mirror.example,dev.local"}
    recorded = program(manifests, knative={"config": {"config-deployment": skipping, "config-gc": {"x": "y"}}})
    data = {
        name: recorded.one("ConfigMap", f"knative-serving/{name}").inputs["data"]
        for name in ("config-deployment", "config-gc")
    }
    assert data["config-deployment"]["registries-skipping-tag-resolving"] == "mirror.example,dev.local"
    assert "queue-sidecar-image" in data["config-deployment"], "the release's own entry is gone"
    assert data["config-gc"]["x"] == "y" and "max-non-active-revisions" in data["config-gc"]


def test_entries_that_cannot_be_set_are_told_at_once(small: Path) -> None:
    config = {
        "config-network": {"ingress-class": "mine"},
        "config-domain": {"a.example": ""},
        "config-typo": {"a": "b"},
    }
    recorded = record({"knative": {"config": config}}, small)
    told = str(recorded.error)
    assert "given ingress-class; wanted none of these" in told and "wanted knative.domain" in told
    assert "config-typo: given a ConfigMap that this release lacks; wanted one of config-deployment" in told
    assert not recorded.resources


def test_a_proxy_of_the_environment_that_the_controller_lacks_is_told(small: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy.example:3128")
    warned = "\n".join(program(small).warnings)
    assert "network.proxy.https" in warned and "secret" not in warned
    assert not program(small, network={"proxy": {"https": PROXY}}).warnings
    skipping = {"registries-skipping-tag-resolving": "index.docker.io"}
    assert not program(small, knative={"config": {"config-deployment": skipping}}).warnings
    assert not any("PROXY" in line for line in existing(small, cluster=EXISTING).warnings)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy"])
def test_a_proxy_that_the_node_cannot_reach_is_told_before_anything_is_made(name: str, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.environment |= {name: "localhost:3128", "PULLS": "yes"}
    done = machine.run("create")
    assert done.returncode == 1 and "create cluster" not in machine.calls
    assert f"{name.upper()} names a proxy at localhost:3128, which the cluster's node cannot reach" in done.stderr
    machine.environment["PULLS"] = ""
    assert machine.run("create").returncode == 0, "a cluster that pulls nothing needs no proxy"


def test_the_settings_mounts_stay_beside_the_creations_mark(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    mount = {"hostPath": "/here", "containerPath": "/.docker", "readOnly": True}
    machine.environment["CLUSTER_CONFIG"] = json.dumps({"nodes": [{"role": "control-plane", "extraMounts": [mount]}]})
    assert machine.run("create").returncode == 0
    made = json.loads((tmp_path / "containers").read_text())[0]["Mounts"]
    assert made[0]["Destination"] == "/.docker" and len(made) == 2


def test_a_mirror_with_a_prefix_for_each_registry_takes_every_image(manifests: Path) -> None:
    registries = {"docker.io/": "hub", "gcr.io/": "gcr", "registry.example/": "other"}
    redirected = {prefix: f"mirror.example/{name}/" for prefix, name in registries.items()}
    recorded = program(manifests, sources={"images": redirected})
    places = ("image", "queue-sidecar-image", "NODE_IMAGE")
    images = {text for r in recorded.resources for path, text in r.plain_texts() if path and path[-1] in places}
    stores = {r.name: r.inputs["values"]["image"] for r in recorded.of_kind("Release")}
    assert len(images) > 6 and len(stores) == 3, "hardly an image is compared"
    assert all(image.startswith("mirror.example/") for image in images), "an image comes from elsewhere"
    assert any(image.startswith("mirror.example/hub/kindest/node:") for image in images), "the node's does"
    assert {each["registry"] for each in stores.values()} == {"mirror.example"}
    assert all(each["repository"].startswith("hub/bitnamilegacy/") for each in stores.values())

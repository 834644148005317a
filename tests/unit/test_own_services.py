"""Services of one's own: found in a folder, in a manifest or as an image; what is wrong is reported all at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

import settings
from tests.unit.asked import TableCluster, named
from tests.unit.recording import record
from tests.unit.test_graph_existing import existing
from tests.unit.test_graph_releases import configurations
from tests.unit.test_settings_values import load

IMAGE = "ghcr.io/acme/checkout:2.4.1"


def manifest(**more: Any) -> dict[str, Any]:
    """A Knative Service as people have it."""
    template = {"spec": {"containers": [{"image": IMAGE, "ports": [{"containerPort": 8080}]}]}}
    found = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "checkout"}}
    return {**found, "spec": {"template": template}, **more}


def written(folder: Path, *documents: Any) -> Path:
    """A file with YAML documents."""
    file = folder / "checkout.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    return file


def own(folder: Path, document: Mapping[str, Any] | None = None, **entry: Any) -> settings.Settings:
    """The settings of a stack with one service of its own."""
    written(folder, document or manifest())
    service = {"manifest": "checkout.yaml", **entry}
    return load({"application": "none", "services": {"checkout": service}}, folder)


def test_a_manifest_is_a_service_and_its_tag_is_stables_version(tmp_path: Path) -> None:
    found = own(tmp_path)
    assert list(found.services) == ["checkout"], "the conference application is there unasked"
    assert found.services["checkout"].stable.version == "2.4.1", "the manifest's own tag is not taken"
    assert found.definitions["checkout"].template == manifest()["spec"]["template"]
    assert found.stores == (), "a store that nobody needs is installed"


def test_an_image_is_a_service(tmp_path: Path) -> None:
    services = {"hello": {"image": "ghcr.io/acme/hello"}, "digest": {"image": "acme/d@sha256:" + "a" * 64}}
    found = load({"application": "none", "services": services}, tmp_path)
    versions = {name: service.stable.version for name, service in found.services.items()}
    assert versions == {"hello": "latest", "digest": "sha256:" + "a" * 64}


def test_services_of_ones_own_stand_beside_the_conference() -> None:
    found = load({"services": {"hello": {"image": "ghcr.io/acme/hello:1"}}})
    assert len(found.services) == 5 and found.stores == ("kafka", "postgresql", "redis")


def test_a_folder_of_manifests_is_an_application(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    written(tmp_path / "mine", manifest())
    found = load({"application": "mine"}, tmp_path)
    assert {name: service.stable.version for name, service in found.services.items()} == {"checkout": "2.4.1"}


def test_what_a_manifest_says_beside_the_template_is_heeded(tmp_path: Path) -> None:
    notes = {
        "knative-releases/needs": "redis, kafka",
        "knative-releases/info-path": "/info",
        "knative-releases/track-env": "GROUP=checkout-{track}",
        "team": "shop",
    }
    metadata = {"name": "checkout", "namespace": "shop", "labels": {"a": "b"}, "annotations": notes}
    found = own(tmp_path, manifest(metadata=metadata)).definitions["checkout"]
    assert (found.namespace, found.labels, found.annotations) == ("shop", {"a": "b"}, {"team": "shop"})
    assert (found.needs, found.info_path) == (("redis", "kafka"), "/info")
    assert found.track_env == {"GROUP": "checkout-{track}"}
    told = own(tmp_path, manifest(metadata=metadata), namespace="other", needs=["postgresql"])
    assert (told.definitions["checkout"].namespace, told.stores) == ("other", ("postgresql",)), (
        "the settings come first"
    )


def test_a_track_may_have_a_manifest_of_its_own(tmp_path: Path) -> None:
    other = manifest()
    other["spec"]["template"]["spec"]["timeoutSeconds"] = 7
    (tmp_path / "next.yaml").write_text(yaml.safe_dump(other))
    found = own(tmp_path, tracks={"canary": {"version": "2.5.0", "manifest": "next.yaml"}}).definitions["checkout"]
    assert found.track_templates["canary"]["spec"]["timeoutSeconds"] == 7


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "another kind": (
        manifest(kind="Deployment"),
        "serving.knative.dev/v1 Deployment",
        "serving.knative.dev/v1 Service",
    ),
    "another version": (manifest(apiVersion="serving.knative.dev/v1beta1"), "v1beta1 Service", "v1 Service"),
    "another name": (manifest(metadata={"name": "cart"}), '"cart"', '"checkout"'),
    "no template": (manifest(spec={}), "no spec.template", "template"),
    "no container": (manifest(spec={"template": {"spec": {}}}), "no container", "at least one"),
    "no image": (
        manifest(spec={"template": {"spec": {"containers": [{"name": "a"}]}}}),
        "without an image",
        "an image in every container",
    ),
    "traffic": (
        manifest(spec={**manifest()["spec"], "traffic": [{"percent": 100}]}),
        "spec.traffic",
        "services.checkout.tracks",
    ),
    "a revision's name": (
        manifest(spec={"template": {**manifest()["spec"]["template"], "metadata": {"name": "checkout-1"}}}),
        "spec.template.metadata.name",
        "no name",
    ),
    "a store that nobody has": (
        manifest(metadata={"name": "checkout", "annotations": {"knative-releases/needs": "mysql"}}),
        '"mysql"',
        "kafka, postgresql, redis",
    ),
    "a path that is none": (
        manifest(metadata={"name": "checkout", "annotations": {"knative-releases/info-path": "info"}}),
        '"info"',
        "begins with /",
    ),
    "variables that are none": (
        manifest(metadata={"name": "checkout", "annotations": {"knative-releases/track-env": "GROUP"}}),
        '"GROUP"',
        "NAME=value",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_manifest_that_cannot_be_released_is_refused_with_the_cure(case: str, tmp_path: Path) -> None:
    document, given, wanted = WRONG[case]
    with pytest.raises(settings.SettingsError) as raised:
        own(tmp_path, document)
    (problem,) = raised.value.problems
    assert problem.path == "services.checkout.manifest"
    assert given in problem.given and wanted in problem.wanted
    assert str(tmp_path / "checkout.yaml") in problem.fix, "the fix does not name the file"


def test_files_that_are_no_manifest_are_refused_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "torn.yaml").write_text("a: [")
    (tmp_path / "empty.yaml").write_text("")
    written(tmp_path, manifest(), manifest())
    files = {"absent": "absent.yaml", "torn": "torn.yaml", "empty": "empty.yaml", "checkout": "checkout.yaml"}
    services: dict[str, Any] = {name: {"manifest": file} for name, file in files.items()}
    services["nobody"] = {}
    services["x" * 53] = {"image": "acme/x"}
    with pytest.raises(settings.SettingsError) as raised:
        load({"application": "nowhere", "services": services}, tmp_path)
    assert {problem.path for problem in raised.value.problems} == {
        "application",
        *(f"services.{name}.manifest" for name in files),
        "services.nobody",
        f"services.{'x' * 53}",
    }
    assert "Traceback" not in str(raised.value) and "2 documents" in str(raised.value)


def test_a_stack_of_ones_own_has_no_store_and_no_conference(small: Path) -> None:
    hello = {"image": "ghcr.io/acme/hello:1", "tracks": {"canary": {"version": "2", "percent": 50}}}
    recorded = record({"application": "none", "services": {"hello": hello}}, small)
    assert recorded.error is None, f"the program ended: {recorded.error!r}"
    released = [(r.kind, r.name) for r in recorded.resources if "serving.knative.dev/" in r.type]
    assert sorted(released) == [("Configuration", "hello-canary"), ("Service", "hello")]
    assert not recorded.of_kind("Release"), "a store that nobody needs is installed"
    assert not [r for r in recorded.of_kind("ConfigMap") if r.name.startswith("default/")], "scripts of no database"
    container = configurations(recorded)["hello-canary"]["spec"]["containers"][0]
    assert container["image"] == "ghcr.io/acme/hello:2"
    assert set(recorded.outputs["services"]) == {"hello"}


def test_a_service_is_what_its_manifest_says_it_is(small: Path, tmp_path: Path) -> None:
    metadata = {"name": "checkout", "labels": {"networking.knative.dev/visibility": "cluster-local"}}
    file = written(tmp_path, manifest(metadata={**metadata, "annotations": {"team": "shop"}}))
    settings = {"application": "none", "services": {"checkout": {"manifest": str(file), "tracks": {}}}}
    recorded = record(settings, small)
    assert recorded.error is None, f"the program ended: {recorded.error!r}"
    service = recorded.one("Service", "checkout").inputs
    assert service["metadata"]["labels"] == metadata["labels"] and service["metadata"]["annotations"]["team"] == "shop"
    assert service["spec"]["template"]["spec"]["containers"][0]["ports"] == [{"containerPort": 8080}]
    release = recorded.outputs["services"]["checkout"]
    assert (release["url"], release["visibility"]) == ("http://checkout.default.svc.cluster.local", "cluster-local"), (
        "its URL is one that nobody answers at"
    )


def in_shop(service: str = "hello") -> dict[str, Any]:
    """Settings of one service in a namespace of its own."""
    return {"application": "none", "services": {service: {"image": "ghcr.io/acme/hello:1", "namespace": "shop"}}}


def test_a_namespace_is_made_on_the_programs_own_cluster(small: Path) -> None:
    recorded = record(in_shop(), small)
    assert recorded.error is None, f"the program ended: {recorded.error!r}"
    namespace, service = recorded.one("Namespace", "shop"), recorded.one("Service", "hello")
    assert service.inputs["metadata"]["namespace"] == "shop"
    assert namespace.urn in recorded.waits_for(service), "the service is made before its namespace is there"
    release = recorded.outputs["services"]["hello"]
    assert (release["namespace"], release["url"]) == ("shop", "http://hello.shop.127.0.0.1.sslip.io")


def test_a_namespace_is_expected_on_a_cluster_of_somebody_else(small: Path) -> None:
    refused = existing(small, **in_shop()).error
    assert isinstance(refused, pulumi.RunError), "it is made in a cluster of somebody else, or fails minutes later"
    assert "no namespace shop" in str(refused) and "create namespace shop" in str(refused)
    there = TableCluster({"/api/v1/namespaces/shop": named("Namespace", "shop")})
    recorded = existing(small, there, **in_shop())
    assert recorded.error is None, f"the program ended: {recorded.error!r}"
    assert not [r for r in recorded.of_kind("Namespace") if r.name == "shop"], "a destroy takes it away"
    assert recorded.one("Command", "cluster-farewell").inputs["environment"]["SERVICES"] == "shop/hello"
    assert "/apis/serving.knative.dev/v1/namespaces/shop/services" in there.paths, "another's service is adopted"

"""Knative's feature flags: what of a manifest needs one, and what is reported where it is off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.knative.features import known, needed, off, problems
from tests.unit.asked import TableCluster, knative
from tests.unit.recording import record
from tests.unit.test_graph_existing import existing

PODSPEC = "kubernetes.podspec-"


def template(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A template with one container, and more in its spec."""
    return {"spec": {"containers": [{"image": "example/any:1", **(container or {})}], **spec}}


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        (template(), []),
        (template(affinity={"nodeAffinity": {}}), ["affinity"]),
        (template(topologySpreadConstraints=[{}], tolerations=[{}]), ["tolerations", "topologyspreadconstraints"]),
        (template(hostNetwork=False, tolerations=[]), []),
        (template(initContainers=[{"image": "example/first:1"}]), ["init-containers"]),
        (template(volumes=[{"name": "a", "emptyDir": {}}]), ["volumes-emptydir"]),
        (template(volumes=[{"name": "a", "secret": {}}, {"name": "b", "projected": {}}]), []),
        (
            template(volumes=[{"name": "a", "persistentVolumeClaim": {"claimName": "c"}}]),
            ["persistent-volume-claim", "persistent-volume-write"],
        ),
        (
            template(volumes=[{"name": "a", "persistentVolumeClaim": {"claimName": "c", "readOnly": True}}]),
            ["persistent-volume-claim"],
        ),
        (template({"env": [{"name": "A", "valueFrom": {"fieldRef": {}}}]}), ["fieldref"]),
        (template({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {}}}, {"name": "B", "value": "b"}]}), []),
        (template({"volumeMounts": [{"mountPath": "/a", "mountPropagation": "None"}]}), ["volumes-mount-propagation"]),
    ],
)
def test_a_field_needs_its_flag(given: dict[str, Any], flags: list[str]) -> None:
    assert list(needed(given)) == [PODSPEC + flag for flag in flags]


def test_sidecars_and_capabilities_need_theirs() -> None:
    capable = template({"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}}})
    assert list(needed(capable)) == ["kubernetes.containerspec-addcapabilities"]
    assert not needed(template({"securityContext": {"capabilities": {"drop": ["ALL"]}}})), "dropping needs none"
    probed = {"name": "proxy", "image": "example/proxy:1", "readinessProbe": {"exec": {}}}
    served = {"name": "app", "image": "example/any:1", "ports": [{"containerPort": 80}], "readinessProbe": {}}
    assert list(needed({"spec": {"containers": [served, probed]}})) == ["multi-container", "multi-container-probing"]


@pytest.mark.parametrize(
    ("flag", "value", "is_on"),
    [
        ("multi-container", None, True),
        ("multi-container", "disabled", False),
        (f"{PODSPEC}affinity", None, False),
        (f"{PODSPEC}affinity", "Enabled", True),
        (f"{PODSPEC}affinity", "allowed", True),
        (f"{PODSPEC}init-containers", "allowed", False),
    ],
)
def test_a_flag_is_on_as_knative_reads_it(flag: str, value: str | None, is_on: bool) -> None:
    assert bool(off({flag: "any"}, {flag: value} if value else {})) != is_on


def release(**flags: str) -> list[dict[str, Any]]:
    """A release's config-features, with an example."""
    return [{"kind": "ConfigMap", "metadata": {"name": "config-features"}, "data": {"_example": yaml.safe_dump(flags)}}]


def test_what_a_release_lacks_is_no_setting() -> None:
    core = release(**{f"{PODSPEC}affinity": "disabled"})
    assert known(core) == {f"{PODSPEC}affinity"} and not known(release()), (
        "a release without an example has unknown ones"
    )
    (affinity,) = problems({f"{PODSPEC}affinity": "service a: affinity"}, {}, core)
    assert "pulumi config set --path" in affinity
    (csi,) = problems({f"{PODSPEC}volumes-csi": "service a: volume v (csi)"}, {}, core)
    assert "config set" not in csi and "newer" in csi, "the webhook refuses it whatever the setting says"


AFFINE = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hello}
spec: {template: {spec: {affinity: {nodeAffinity: {}}, containers: [{image: 'example/any:1'}]}}}
"""


def settings(folder: Path) -> dict[str, Any]:
    """One service, whose manifest needs a flag that is off."""
    (folder / "hello.yaml").write_text(AFFINE)
    return {"application": "none", "services": {"hello": {"manifest": str(folder / "hello.yaml")}}}


def test_the_first_preview_names_the_setting_and_with_it_all_is_well(small: Path, tmp_path: Path) -> None:
    refused = record(settings(tmp_path), small)
    command = (
        f"""pulumi config set --path 'knative-releases:knative.config.config-features["{PODSPEC}affinity"]' enabled"""
    )
    assert "service hello: affinity needs" in str(refused.error) and command in str(refused.error)
    assert not refused.resources, "something is made before the webhook refuses it"
    flags = {"config": {"config-features": {f"{PODSPEC}affinity": "enabled"}}}
    done = record({**settings(tmp_path), "knative": flags}, small)
    assert done.error is None, f"the program ended: {done.error!r}"


def test_on_a_cluster_of_somebody_else_the_clusters_own_flags_count(small: Path, tmp_path: Path) -> None:
    own = {"tag-header-based-routing": "enabled"}
    refused = existing(small, TableCluster(knative(features=own)), knative={"install": False}, **settings(tmp_path))
    assert f"{PODSPEC}affinity (service hello: affinity)" in str(refused.error) and "kubectl" in str(refused.error)
    more = {**own, f"{PODSPEC}affinity": "allowed"}
    done = existing(small, TableCluster(knative(features=more)), knative={"install": False}, **settings(tmp_path))
    assert done.error is None, f"a flag that no service needs is asked for: {done.error!r}"

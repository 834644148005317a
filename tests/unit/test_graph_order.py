"""What waits for what. A dependency on a component is sent as its children, so this is what the engine sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.recording import Recorded
from tests.unit.registration import Registration
from tests.unit.test_graph_ownership import whole

WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def waits_for_all(recorded: Recorded, later: list[Registration], earlier: list[Registration]) -> None:
    """Fail unless each of `later` begins after every one of `earlier`."""
    assert later and earlier, "nothing to compare: this test proves nothing"
    for resource in later:
        missing = {r.urn for r in earlier} - recorded.waits_for(resource) - {resource.urn}
        assert not missing, f"{resource.urn} does not wait for {sorted(missing)}"


def children(recorded: Recorded, *components: str) -> list[Registration]:
    """The resources, not the components, below some components."""
    parents = [r for r in recorded.resources if r.name in components and r.type.startswith("knative-releases:")]
    return [r for parent in parents for r in recorded.below(parent) if not r.type.startswith("knative-releases:")]


def services(recorded: Recorded, *names: str) -> list[Registration]:
    """Knative Services (and Configurations) by name; all without names."""
    found = [r for r in recorded.resources if r.type.startswith("kubernetes:serving.knative.dev/")]
    return [r for r in found if r.name in names] if names else found


def test_everything_inside_waits_for_the_cluster(manifests: Path) -> None:
    recorded = whole(manifests)
    waits_for_all(recorded, recorded.kubernetes(), [recorded.one("Command", "cluster-kind")])


def test_workloads_wait_for_definitions_and_namespaces(manifests: Path) -> None:
    recorded = whole(manifests)
    waits_for_all(recorded, recorded.of_kind("Deployment"), recorded.of_kind("CustomResourceDefinition"))
    space = "knative-serving"
    waits_for_all(
        recorded,
        [r for r in recorded.kubernetes() if r.name.startswith(f"{space}/")],
        [recorded.one("Namespace", space)],
    )
    space = "kourier-system"
    waits_for_all(
        recorded,
        [r for r in recorded.kubernetes() if r.name.startswith(f"{space}/")],
        [recorded.one("Namespace", space)],
    )


def test_serving_workloads_wait_for_their_configuration(manifests: Path) -> None:
    recorded = whole(manifests)
    config = [r for r in recorded.of_kind("ConfigMap") if r.name.startswith("knative-serving/config-")]
    own = [r for r in config if r in children(recorded, "knative-serving")]
    waits_for_all(recorded, recorded.of_kind("Deployment"), own)


def test_image_caches_and_certificates_wait_for_their_definition(manifests: Path) -> None:
    recorded = whole(manifests)
    # Certificates came with a later release than the default one.
    own = recorded.of_kind("Image", "Certificate")
    waits_for_all(recorded, own, recorded.of_kind("CustomResourceDefinition"))


def test_webhook_configurations_wait_for_every_deployment_of_serving(manifests: Path) -> None:
    recorded = whole(manifests)
    plane = [r for r in children(recorded, "knative-serving") if r.kind == "Deployment"]
    waits_for_all(recorded, recorded.of_kind(*WEBHOOKS), plane)


def test_kourier_does_not_wait_for_servings_deployments(manifests: Path) -> None:
    recorded = whole(manifests)
    plane = {r.urn for r in children(recorded, "knative-serving") if r.kind == "Deployment"}
    late = [r.urn for r in children(recorded, "kourier") if recorded.waits_for(r) & plane]
    assert not late, f"the gateway's start is not beside the control plane's, which costs its 12 seconds: {late}"


def test_stores_wait_neither_for_each_other_nor_for_knative(manifests: Path) -> None:
    recorded = whole(manifests)
    for store in recorded.of_kind("Release"):
        others = children(recorded, "knative-serving", "kourier", *{"kafka", "postgresql", "redis"} - {store.name})
        assert not recorded.waits_for(store) & {r.urn for r in others}, f"{store.name} waits for what it does not need"


def test_services_wait_for_knative_its_webhooks_kourier_and_kafka(manifests: Path) -> None:
    recorded = whole(manifests)
    waits_for_all(recorded, services(recorded), children(recorded, "knative-serving", "kourier", "kafka"))


@pytest.mark.parametrize(("service", "store"), [("c4p-service", "postgresql"), ("agenda-service", "redis")])
def test_a_service_waits_for_its_store_and_the_others_do_not(small: Path, service: str, store: str) -> None:
    recorded = whole(small)
    release = recorded.one("Release", store)
    waits_for_all(recorded, services(recorded, service), [release])
    others = [r for r in services(recorded) if r.name != service and release.urn in recorded.waits_for(r)]
    assert not others, f"{[r.name for r in others]} wait for {store}, which they do not use"


def test_postgresql_waits_for_its_script(small: Path) -> None:
    recorded = whole(small)
    waits_for_all(
        recorded, [recorded.one("Release", "postgresql")], [recorded.one("ConfigMap", "default/c4p-init-sql")]
    )


def test_tracks_are_ready_before_their_service_moves_its_traffic(small: Path) -> None:
    recorded = whole(small)
    waits_for_all(recorded, services(recorded, "frontend"), services(recorded, "frontend-canary", "frontend-green"))


def test_one_service_does_not_wait_for_another(small: Path) -> None:
    recorded = whole(small)
    for service in [r for r in services(recorded) if r.kind == "Service"]:
        others = {r.urn for r in services(recorded) if not r.name.startswith(service.name)}
        assert not recorded.waits_for(service) & others, (
            f"a broken version of another service holds back {service.name}"
        )

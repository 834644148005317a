"""A Knative of somebody else, which completes templates and makes other URLs than the default: every state of a release
is still one update away. The tests build on one another, in this order.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from offline.cache import root
from tests.e2e.bare_cluster import BareCluster
from tests.e2e.environment import Environment, eventually
from tests.e2e.knative_by_hand import install_by_hand

pytestmark = pytest.mark.long

NOTIFICATIONS = "notifications-service"
UNCHANGED = "--expect-no-changes"
RESOURCES = {"revision-cpu-request": "10m", "revision-memory-limit": "300Mi"}
LATER = {"revision-cpu-request": "11m", "revision-memory-limit": "301Mi", "revision-timeout-seconds": "200"}
DOMAIN_TEMPLATE = "{{.Name}}-{{.Namespace}}.{{.Domain}}"
TAG_TEMPLATE = "{{.Name}}-is-{{.Tag}}"


@pytest.fixture(scope="module")
def cluster() -> Iterator[BareCluster]:
    """A bare cluster with a Knative that completes templates, and an empty stack for it."""
    name = f"{os.environ.get('E2E_NAME', 'e2e')}-completed"
    bare = BareCluster(Environment(name, root() / name))
    bare.remove()
    bare.create()
    install_by_hand(bare)
    ingress = "kourier.ingress.networking.knative.dev"
    flags = ("kubernetes.podspec-fieldref", "tag-header-based-routing", "secure-pod-defaults")
    merge(bare, "config-features", dict.fromkeys(flags, "Enabled"))
    merge(bare, "config-network", {"ingress-class": ingress, "domain-template": DOMAIN_TEMPLATE})
    merge(bare, "config-domain", {f"{bare.address}.sslip.io": ""})
    merge(bare, "config-defaults", RESOURCES)
    bare.environment.select()
    yield bare
    bare.remove()
    bare.environment.close()


def merge(cluster: BareCluster, config_map: str, data: dict[str, str]) -> None:
    """Set keys of a ConfigMap of Knative, as its administrator does."""
    patch = ["--namespace", "knative-serving", "--type", "merge", "--patch", json.dumps({"data": data})]
    cluster.environment.kubectl("patch", "configmap", config_map, *patch)


def release(cluster: BareCluster, percent: int, stable: str = "v1.0.0", tag: str | None = None) -> dict[str, int]:
    """Bring the release to a state, twice; the revision of each target of the Service's traffic, with its share."""
    canary = {"version": "v1.1.0", **({"tag": tag} if tag else {})}
    services = {NOTIFICATIONS: {"stable": {"version": stable}, "tracks": {"canary": canary}}}
    cluster.configure(services, knative={"install": False}, canaryPercent=percent)
    # On a busy machine its webhook misses a probe now and then, and what is not available is refused.
    available = ["deployment", "--all", "--namespace", "knative-serving", "--timeout=90s"]
    cluster.environment.kubectl("wait", "--for=condition=Available", *available)
    cluster.environment.up()
    cluster.environment.up(UNCHANGED)
    return {target["revisionName"]: target.get("percent", 0) for target in service(cluster)["status"]["traffic"]}


def service(cluster: BareCluster) -> dict[str, Any]:
    """The Knative Service of the notifications."""
    (found,) = cluster.environment.get("ksvc", "--field-selector", f"metadata.name={NOTIFICATIONS}")
    return found


def container(cluster: BareCluster) -> dict[str, Any]:
    """Its container, as the cluster completed it."""
    found: dict[str, Any] = service(cluster)["spec"]["template"]["spec"]["containers"][0]
    return found


def answers(cluster: BareCluster, url: str) -> None:
    """A URL of the outputs is one that the ingress answers to."""
    ingress = f"::{cluster.address}:80"  # its names resolve through public DNS, which not every machine has
    curl = ["curl", "--silent", "--fail", "--max-time", "10", "--connect-to", ingress, f"{url}/service/info"]
    eventually(30, f"an answer at {url}", lambda: cluster.environment.run(*curl, check=False))


def test_a_second_up_a_flip_and_a_refresh_are_accepted_where_templates_are_completed(cluster: BareCluster) -> None:
    (stable,) = release(cluster, 0)
    completed = container(cluster)
    assert completed["resources"]["requests"]["cpu"] == "10m", "nothing is completed: this test proves nothing"
    assert completed["securityContext"], "nothing is completed: this test proves nothing"
    shares = release(cluster, 50)
    assert shares[stable] == 50 and len(shares) == 2, f"the flip is not made: {shares}"
    cluster.environment.pulumi("refresh", "--yes", "--skip-preview", UNCHANGED)
    cluster.environment.up(UNCHANGED)
    assert release(cluster, 10) == {name: 90 if name == stable else 10 for name in shares}, (
        "the refresh ended all flips"
    )
    assert container(cluster) == completed, "what the cluster completed was taken back"


def test_an_abort_a_promotion_and_the_way_back_are_accepted_after_the_defaults_changed(cluster: BareCluster) -> None:
    merge(cluster, "config-defaults", LATER)
    (stable,) = release(cluster, 0)
    (promoted,) = release(cluster, 0, "v1.1.0")
    assert container(cluster)["resources"]["requests"]["cpu"] == "11m", "nothing is completed: this test proves nothing"
    assert release(cluster, 0) == {stable: 100}, "the way back is another revision"
    assert container(cluster)["resources"]["requests"]["cpu"] == "10m", "the revision is not what it was"
    assert release(cluster, 0, "v1.1.0") == {promoted: 100}
    cluster.environment.pulumi("refresh", "--yes", "--skip-preview")
    assert release(cluster, 30, "v1.0.0")[stable] == 70


def test_urls_are_the_clusters_own(cluster: BareCluster) -> None:
    release(cluster, 50, tag="next")
    space = f"default.{cluster.address}.sslip.io"
    outputs = cluster.environment.outputs()["services"][NOTIFICATIONS]
    assert outputs["url"] == f"http://{NOTIFICATIONS}-{space}", "another domain template is not heeded"
    answers(cluster, outputs["url"])
    answers(cluster, outputs["tracks"]["canary"]["url"])
    merge(cluster, "config-network", {"tag-template": TAG_TEMPLATE})
    tagged = f"{NOTIFICATIONS}-is-next"
    eventually(30, "URLs of the other tag template", lambda: tagged in json.dumps(service(cluster)["status"]))
    cluster.environment.up()
    outputs = cluster.environment.outputs()["services"][NOTIFICATIONS]
    assert outputs["tracks"]["canary"]["url"] == f"http://{tagged}-{space}", "another tag template is not heeded"
    answers(cluster, outputs["tracks"]["canary"]["url"])

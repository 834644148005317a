"""The page of rights, applied to a cluster that somebody else made, and every command run with what it gives."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml

from offline.cache import root
from tests.e2e.bare_cluster import BareCluster
from tests.e2e.environment import PROJECT, CommandError, Environment
from tests.e2e.knative_by_hand import install_by_hand
from tests.e2e.traffic import Client, Prober, assert_share, observed

pytestmark = pytest.mark.long

NOTIFICATIONS = "notifications-service"
CANARY = {NOTIFICATIONS: {"tracks": {"canary": {"version": "v1.1.0"}}}}
PAGE = PROJECT / "docs" / "rights.md"


@pytest.fixture(scope="module")
def cluster() -> Iterator[BareCluster]:
    """A cluster with a Knative of somebody else's, and the stack in it that its administrator brought up."""
    name = f"{os.environ.get('E2E_NAME', 'e2e')}-bare"
    bare = BareCluster(Environment(name, root() / name))
    bare.remove()
    bare.create()
    install_by_hand(bare)
    features = json.dumps({"tag-header-based-routing": "enabled", "kubernetes.podspec-fieldref": "enabled"})
    for config_map, data in (("features", features), ("domain", json.dumps({f"{bare.address}.sslip.io": ""}))):
        patch = f'--patch={{"data":{data}}}'
        bare.environment.kubectl(
            "patch", "configmap", f"config-{config_map}", "-n", "knative-serving", "--type=merge", patch
        )
    bare.environment.select()
    yield bare
    bare.remove()
    bare.environment.close()


def share(cluster: BareCluster, percent: int) -> None:
    """The settings: a canary with a share."""
    cluster.configure(CANARY, knative={"install": False}, canaryPercent=percent, readyWithin="5m")


@contextmanager
def acting_as(cluster: BareCluster, account: str) -> Iterator[None]:
    """Within the block the context's user is a service account."""
    token = cluster.environment.kubectl("create", "token", account, "--namespace", "default", "--duration=1h").strip()
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    file = cluster.kubeconfig.with_name(f"{account}-kubeconfig")
    file.touch(0o600)
    file.write_text(yaml.safe_dump(config))
    cluster.environment.env["KUBECONFIG"] = str(file)
    try:
        yield
    finally:
        cluster.environment.env["KUBECONFIG"] = str(cluster.kubeconfig)
        file.unlink()


def status(cluster: BareCluster) -> str:
    """What `python -m status` prints."""
    command = [sys.executable, "-m", "status", "--stack", cluster.environment.name, "--requests", "0"]
    return cluster.environment.run(*command, seconds=60)


def test_a_plain_service_in_the_way_is_told_before_anything_is_made(cluster: BareCluster) -> None:
    share(cluster, 50)
    cluster.environment.kubectl("create", "service", "clusterip", "frontend", "--tcp=80", "--namespace", "default")
    with pytest.raises(CommandError, match="Kubernetes Service frontend"):
        cluster.environment.up()
    assert not cluster.environment.get("ksvc"), "half of it was made"
    cluster.environment.kubectl("delete", "service", "frontend", "--namespace", "default")


def test_an_administrator_brings_it_up_and_again(cluster: BareCluster) -> None:
    cluster.environment.up()
    cluster.environment.up("--expect-no-changes")  # what Knative made for it is not somebody else's


def test_the_page_of_rights_can_be_applied(cluster: BareCluster) -> None:
    blocks = PAGE.read_text().split("```yaml\n")[1:]
    assert len(blocks) == 2
    for block in blocks:
        cluster.environment.kubectl("apply", "-f", "-", stdin=block.partition("```")[0])
    cluster.environment.kubectl("create", "serviceaccount", "nobody", "--namespace", "default")
    cluster.environment.kubectl("create", "serviceaccount", "viewer", "--namespace", "default")
    view = ["--clusterrole=view", "--serviceaccount=default:viewer"]
    cluster.environment.kubectl("create", "clusterrolebinding", "viewer", *view)


@pytest.mark.parametrize("account", ["reviewer", "viewer"])
def test_a_reviewer_previews_and_sees_the_status_and_changes_nothing(cluster: BareCluster, account: str) -> None:
    share(cluster, 20)
    with acting_as(cluster, account):
        output = cluster.environment.pulumi("preview", "--diff")
        assert "percent: 50 => 20" in output and "percent: 50 => 80" in output, output
        # The provider's own change is this test's: another kubeconfig.
        assert output.count("(update)") == 2 and "2 to update" in output, output
        assert "canary v1.1.0  wanted  50 %  reported  50 %" in status(cluster)


def test_who_may_nothing_learns_at_once_what_is_missing(cluster: BareCluster) -> None:
    with acting_as(cluster, "nobody"), pytest.raises(CommandError) as refused:
        cluster.environment.pulumi("preview")
    for part in (
        "get namespaces kube-system",
        "list services.serving.knative.dev in default",
        "get configmaps config-network in knative-serving",
        "docs/rights.md",
    ):
        assert part in str(refused.value), str(refused.value)


def test_a_releaser_changes_shares_and_drives_a_rollout(cluster: BareCluster) -> None:
    client = Client(80, f"{cluster.address}.sslip.io", address=cluster.address)
    with acting_as(cluster, "releaser"):
        share(cluster, 20)
        cluster.environment.up()
        assert_share(observed(client, NOTIFICATIONS, 300), "1.1.0", 20)
        share(cluster, 0)
        cluster.environment.up()
        assert "stable v1.0.0  wanted 100 %  reported 100 %" in status(cluster)
        # The source that asks the cluster: probes need no right, but names that resolve, and this Knative has none.
        steps = ["--steps", "50,100", "--interval", "10s", "--source", "gateway"]
        cluster.environment.env["PULUMI_STACK"] = cluster.environment.name
        with Prober(client, NOTIFICATIONS, workers=2):
            command = [sys.executable, "-m", "rollout", "start", NOTIFICATIONS, "--to", "v1.1.0", *steps]
            output = cluster.environment.run(*command, seconds=400)
        assert client.version(NOTIFICATIONS) == "1.1.0", output

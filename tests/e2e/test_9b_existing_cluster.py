"""A cluster that the program did not create: everything put into it, released, and taken out again; and a Knative that
is there already. The tests build on one another, in this order.
"""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Iterator

import pytest
import yaml

from offline.cache import root
from settings import Knative
from tests.e2e.bare_cluster import BareCluster
from tests.e2e.environment import CommandError, Environment, eventually
from tests.e2e.knative_by_hand import configuration, install_by_hand
from tests.e2e.traffic import Client, Prober, assert_share, observed

pytestmark = pytest.mark.long

NOTIFICATIONS = "notifications-service"
CANARY = {NOTIFICATIONS: {"tracks": {"canary": {"version": "v1.1.0"}}}}
SERVICES = ("frontend", "c4p-service", "agenda-service", NOTIFICATIONS)
# The node has two cores, of which the releases' own requests would leave nothing.
SMALL = {"profile": "small", "activatorReplicas": 2}
DESTROY_SECONDS = 120
CLUSTER_WIDE = (
    "namespaces,customresourcedefinitions,mutatingwebhookconfigurations,validatingwebhookconfigurations,clusterroles,"
    "clusterrolebindings,apiservices,priorityclasses"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[BareCluster]:
    """A bare cluster, and an empty stack for it."""
    name = f"{os.environ.get('E2E_NAME', 'e2e')}-bare"
    environment = Environment(name, root() / name)
    bare = BareCluster(environment)
    bare.remove()
    bare.create()
    environment.select()
    yield bare
    bare.remove()
    environment.close()


@pytest.fixture(scope="module")
def before(cluster: BareCluster) -> set[str]:
    """The cluster-wide objects before anything was put into it."""
    return names(cluster)


def names(cluster: BareCluster) -> set[str]:
    """Kind and name of the cluster-wide objects."""
    return {f"{each['kind']} {each['metadata']['name']}" for each in cluster.objects(CLUSTER_WIDE)}


def client(cluster: BareCluster) -> Client:
    """Requests to the address of the load balancer."""
    return Client(80, f"{cluster.address}.sslip.io", address=cluster.address)


def refusal(environment: Environment) -> str:
    """Output of an `up` that has to fail."""
    with pytest.raises(CommandError) as failed:
        environment.up()
    assert "Traceback" not in str(failed.value), "a person reads a message, not a traceback"
    return str(failed.value)


def test_everything_is_put_into_it_and_answers_at_the_load_balancers_address(
    cluster: BareCluster, before: set[str]
) -> None:
    kubeconfig = cluster.kubeconfig.read_bytes()
    cluster.configure(CANARY, knative=SMALL, kourier={"replicas": 2}, canaryPercent=0)
    with cluster.balanced():
        cluster.environment.up()
    outputs = cluster.environment.outputs()
    assert outputs["address"] == cluster.address, "the address of the load balancer is told"
    assert outputs["services"]["frontend"]["url"] == f"http://frontend.default.{cluster.address}.sslip.io"
    for service in SERVICES:
        assert client(cluster).version(service) == "1.0.0", f"{service} answers at the load balancer"
    assert before < names(cluster), "nothing that was there is gone"
    assert cluster.kubeconfig.read_bytes() == kubeconfig, "the user's kubeconfig was only read"
    state = cluster.environment.pulumi("stack", "export", "--show-secrets")
    assert yaml.safe_load(kubeconfig)["users"][0]["user"]["client-key-data"] not in state, (
        "no key of it is in the state"
    )


@pytest.mark.parametrize(
    ("namespace", "app"), [("kourier-system", "3scale-kourier-gateway"), ("knative-serving", "activator")]
)
def test_gateway_and_activator_have_two_pods_each(cluster: BareCluster, namespace: str, app: str) -> None:
    def ready() -> bool:
        pods = cluster.objects("pods", "--namespace", namespace, "--selector", f"app={app}")
        states = [c["ready"] for pod in pods for c in pod["status"].get("containerStatuses", [])]
        return states == [True, True]

    eventually(90, f"two ready pods of {app}", ready)


def test_a_second_up_and_a_refresh_find_nothing_to_change(cluster: BareCluster) -> None:
    cluster.environment.up("--expect-no-changes")
    cluster.environment.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_a_canary_gets_its_share_and_no_request_is_lost(cluster: BareCluster) -> None:
    cluster.configure(CANARY, knative=SMALL, kourier={"replicas": 2}, canaryPercent=50)
    with Prober(client(cluster), NOTIFICATIONS) as prober:
        cluster.environment.up()
        assert_share(observed(client(cluster), NOTIFICATIONS, 500), "1.1.0", 50)
    prober.assert_nothing_lost()


def test_a_second_stack_adopts_nothing(cluster: BareCluster) -> None:
    name = f"{cluster.environment.name}-second"
    second = Environment(name, root() / name)
    second.env["KUBECONFIG"] = str(cluster.kubeconfig)
    try:
        second.select()
        second.configure(cluster={"provider": "existing", "context": cluster.context}, knative=SMALL)
        taken = "Namespace knative-serving, kourier-system"
        with pytest.raises(CommandError, match=taken):
            second.pulumi("preview")
        output = refusal(second)
        for part in (
            taken,
            "Service agenda-service, c4p-service",
            "install' false",
        ):
            assert part in output, f"{part} is told:\n{output}"
        second.destroy()
    finally:
        second.close()
    cluster.environment.up("--expect-no-changes")
    assert client(cluster).version("frontend") == "1.0.0", "neither its up nor its destroy touched anything"


def test_another_cluster_behind_the_same_context_is_left_alone(cluster: BareCluster) -> None:
    told = "means another cluster than the one that this stack was put into"
    with cluster.another() as node:

        def namespaces() -> str:
            kubectl = ("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "get", "namespaces", "--output", "name")
            return cluster.environment.run("docker", "exec", node, *kubectl)

        empty = namespaces()
        assert told in refusal(cluster.environment)
        with pytest.raises(CommandError, match=told):
            cluster.environment.destroy()
        assert namespaces() == empty, "something was put into it, or taken out"
    cluster.environment.up("--expect-no-changes")
    assert client(cluster).version("frontend") == "1.0.0", "the stack's own cluster is as it was"


def test_destroy_leaves_nothing_behind_and_takes_less_than_two_minutes(cluster: BareCluster, before: set[str]) -> None:
    begun = time.monotonic()
    output = cluster.environment.destroy()
    seconds = time.monotonic() - begun
    slow = re.findall(r"\S+ \S+ deleted \((?:\d{2,}|[3-9])s\)", output)
    print(f"destroy took {seconds:.1f} s; slow: {slow}")
    assert cluster.environment.resources() == [], "no resource in the state"
    assert names(cluster) == before, "no namespace, definition, webhook or role stays"
    # Helm leaves the claims of its releases, so that no data is lost by accident: docs/decisions/0012.
    assert cluster.objects("persistentvolumeclaims"), "the data is gone"
    # The Job of the chart of Kafka is a Helm hook, which Helm leaves too.
    running = ["--field-selector", "status.phase!=Succeeded"]
    eventually(90, "no pod in the namespace default", lambda: not cluster.environment.get("pods", *running))
    assert seconds < DESTROY_SECONDS


def test_a_knative_that_is_there_is_looked_at_and_told_all_that_it_lacks(cluster: BareCluster) -> None:
    install_by_hand(cluster)
    unchanged = configuration(cluster)
    domain = f"{cluster.address}.sslip.io"
    cluster.configure(CANARY, knative={"install": False, "domain": domain}, canaryPercent=50)
    output = refusal(cluster.environment)
    for part in ("features are off: tag-header-based-routing", "it has no domain"):
        assert part in output, f"{part} is told:\n{output}"
    assert configuration(cluster) == unchanged, "what is not the program's was changed"
    assert output.count("changes it for every service in the cluster") == 2, "as if it were the stack's own"
    commands = [shlex.split(line) for line in re.findall(r"kubectl --context \S+ (patch configmap .*)", output)]
    assert len(commands) == 2, output
    for command in commands:
        cluster.environment.kubectl(*command)


def test_volumes_of_an_earlier_stack_are_not_taken_for_its_own(cluster: BareCluster) -> None:
    output = refusal(cluster.environment)
    (command,) = re.findall(r"kubectl --context \S+ (delete pvc .*)", output)
    cluster.environment.kubectl(*shlex.split(command))
    assert not cluster.objects("persistentvolumeclaims"), "they are all named"


def test_services_are_released_on_it_and_it_is_not_changed(cluster: BareCluster, before: set[str]) -> None:
    unchanged, there = configuration(cluster), names(cluster)
    cluster.environment.up()
    outputs = cluster.environment.outputs()
    assert outputs["knative"] == Knative().version, "the version that was found is told"
    assert_share(observed(client(cluster), NOTIFICATIONS, 500), "1.1.0", 50)
    cluster.environment.destroy()
    assert not cluster.environment.get("ksvc"), "the services are gone"
    assert configuration(cluster) == unchanged, "the cluster's Knative was changed"
    assert there - names(cluster) == set() and there > before, "the cluster's Knative is not whole any more"

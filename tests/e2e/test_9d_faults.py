"""What breaks behind Pulumi's back: pods, stores, the node, the whole cluster; and what the next `up` makes of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e import trust_figures
from tests.e2e.environment import SOURCES, CommandError, Environment, eventually, free_port
from tests.e2e.faults import Faults, Pods
from tests.e2e.interruptions import CTRL_C, KILL, Point, Series
from tests.e2e.test_3_life_cycle import in_postgresql
from tests.e2e.traffic import Client, assert_share, observed

NOTIFICATIONS = "notifications-service"
CANARY = {NOTIFICATIONS: {"tracks": {"canary": {"version": "v1.1.0"}}}}
SERVICES = ("frontend", "c4p-service", "agenda-service", NOTIFICATIONS)
CRASH = ("--force", "--grace-period=0")
GATEWAY = ("kourier-system", "app=3scale-kourier-gateway")
SPOILED = {"charts": "redis/templates/services.yaml", "manifests": "net-kourier/releases/download/*/kourier.yaml"}
"""File that a test spoils in each part of the sources."""
REPLACEMENT = (
    (r"Namespace knative-serving creating", KILL),
    (r"Deployment knative-serving/controller creating", CTRL_C),
    (r"Release redis creating", KILL),
)
"""Lines of an `up` that replaces the cluster, in their order, and what ends it there."""
STORES = {"Kafka": "kafka-0", "PostgreSQL": "postgresql-0", "Redis": "redis-master-0"}


def refused(environment: Environment) -> str:
    """Output of an `up` that has to fail."""
    with pytest.raises(CommandError) as failed:
        environment.up()
    assert "Traceback" not in str(failed.value), "a person reads a message, not a traceback"
    return str(failed.value)


def proposed(client: Client, title: str) -> None:
    """Make a proposal, and have it approved: written to PostgreSQL, Redis and Kafka."""
    proposal = {"title": title, "description": "faults", "author": "Ada", "email": "ada@example.com"}

    def written() -> bool:
        return client.request("frontend", "/api/c4p/proposals/", "POST", proposal).status < 300

    eventually(120, "a proposal is taken", written)
    (found, *_) = [p for p in client.request("frontend", "/api/c4p/proposals/").json() if p["title"] == title]
    decide = f"/api/c4p/proposals/{found['id']}/decide/"
    assert client.request("frontend", decide, "POST", {"approved": True}).status < 300
    agenda = client.request("frontend", "/api/agenda/agenda-items/").json()
    assert title in [item["title"] for item in agenda], "the approved proposal is on the agenda"


def all_answer(client: Client) -> bool:
    """Whether each service answers."""
    try:
        return all(client.version(service) for service in SERVICES)
    except (AssertionError, OSError, ValueError):
        return False


@pytest.fixture(scope="module")
def up(environment: Environment) -> Environment:
    """The environment with a canary that gets no requests yet."""
    environment.configure(CANARY, canaryPercent=0)
    environment.up()
    return environment


def test_a_stopped_node_is_told_and_goes_on_with_its_data(up: Environment, client: Client) -> None:
    proposed(client, "before the stop")
    up.run("docker", "stop", "--time", "5", up.node)
    output = refused(up)
    command = f"docker start {up.node}"
    assert command in output and "Its data is kept" in output, f"the way out is told:\n{output}"
    up.run(*command.split())
    begun = time.monotonic()
    up.up("--expect-no-changes")
    eventually(180, "all services answer", lambda: all_answer(client))
    print(f"all services answer {time.monotonic() - begun:.1f} s after the node was started")
    assert "before the stop" in in_postgresql(up, "select title from proposals"), "the data is on its volume"


def broken(tmp_path: Path, part: str) -> dict[str, Any]:
    """The sources of this machine, with an object in a chart or a manifest that Kubernetes does not know."""
    sources: dict[str, Any] = yaml.safe_load(SOURCES.read_text())
    shutil.copytree(sources[part], tmp_path / part)
    (file,) = (tmp_path / part).glob(SPOILED[part])
    file.write_text(f"{file.read_text()}\n---\napiVersion: v1\nkind: Servce\nmetadata: {{name: misspelt}}\n")
    return {**sources, part: str(tmp_path / part)}


@pytest.mark.parametrize("part", ["charts", pytest.param("manifests", marks=pytest.mark.long)])
def test_a_bad_chart_or_manifest_is_named_and_the_rest_stands(
    up: Environment, client: Client, tmp_path: Path, part: str
) -> None:
    up.configure(CANARY, canaryPercent=50, sources=broken(tmp_path, part))
    output = refused(up)
    named = "redis" if part == "charts" else "misspelt"
    assert named in output and "Servce" in output, f"the error names what is bad, and its mistake:\n{output}"
    eventually(60, "all services answer", lambda: all_answer(client))
    up.configure(CANARY, canaryPercent=10)
    up.up()
    assert_share(observed(client, NOTIFICATIONS, 300), "1.1.0", 10)
    up.up("--expect-no-changes")


def with_another_port(environment: Environment) -> Client:
    """Have the settings of a running environment name another port, and another share; requests to that port."""
    environment.configure(CANARY, canaryPercent=10)
    environment.up()
    environment.port = free_port()
    environment.configure(CANARY, canaryPercent=50)
    return Client(environment.port)


@pytest.mark.long
def test_another_port_replaces_the_cluster_and_fills_it_again_in_one_up(up: Environment) -> None:
    client = with_another_port(up)
    up.up()
    assert len(up.containers()) == 1, "the old cluster is gone"
    assert_share(observed(client, NOTIFICATIONS, 1000), "1.1.0", 50)
    up.up("--expect-no-changes")


@pytest.mark.long
def test_a_replacement_that_is_interrupted_again_and_again_comes_to_its_end(up: Environment) -> None:
    client = with_another_port(up)
    series = Series(up, "replacement")
    for line, how in REPLACEMENT:
        series.interrupt(Point(line, line, 1), how)
    series.converge()
    assert_share(observed(client, NOTIFICATIONS, 300), "1.1.0", 50)
    eventually(60, "all services answer", lambda: all_answer(client))


@pytest.mark.long
def test_a_destroy_of_a_lost_cluster_ends_clean(up: Environment) -> None:
    up.run("kind", "delete", "cluster", "--name", up.name)
    up.destroy()
    assert up.resources() == [] and up.containers() == []


def kills(environment: Environment, faults: Faults) -> None:
    """Each pod of Knative's control plane, killed while a release is under way."""
    percents = [50, 10]
    for name in ("controller", "webhook", "autoscaler", "activator"):
        for percent, (told, how) in zip(percents, (("crashes", CRASH), ("is drained", ())), strict=True):
            environment.configure(CANARY, canaryPercent=percent)
            pods = Pods(environment, "knative-serving", f"app={name}")
            with faults.caused(f"{name} {told} during a release"), faults.during_an_up():
                pods.kill(*how)
            pods.await_ready()
            assert_share(observed(faults.client, NOTIFICATIONS, 300), "1.1.0", percent)


def gateway(environment: Environment, faults: Faults, replicas: int) -> None:
    """One pod of the gateway, crashed and drained."""
    pods = Pods(environment, *GATEWAY)
    for told, how in (("crashes", CRASH), ("is drained", ())):
        with faults.caused(f"gateway {told}, one of {replicas}"):
            pods.kill(*how)
            pods.await_ready()
        eventually(60, "all services answer", lambda: all_answer(faults.client))


def stores(environment: Environment, faults: Faults) -> None:
    """Each store, crashed; its data is kept, and the services go on by themselves."""
    for store, pod in STORES.items():
        title = f"before {store} crashed"
        proposed(faults.client, title)
        pods = Pods(environment, "default", f"statefulset.kubernetes.io/pod-name={pod}")
        with faults.caused(f"{store} crashes"):
            pods.kill(*CRASH)
            time.sleep(1)
            pods.await_ready()
        proposed(faults.client, f"after {store} crashed")
        assert title in in_postgresql(environment, "select title from proposals")


def lost(faults: Faults, *which: str) -> Sequence[str]:
    """Requests lost by the faults whose names begin so."""
    return [request for fault in faults.found if fault.fault.startswith(which) for request in fault.lost]


@pytest.mark.long
def test_pods_stores_and_gateways_are_killed_under_load(environment: Environment) -> None:
    environment.port = free_port()
    environment.configure(CANARY, canaryPercent=10)
    environment.up()
    faults = Faults(environment, Client(environment.port, seconds=10))
    kills(environment, faults)
    stores(environment, faults)
    gateway(environment, faults, 1)
    environment.configure(CANARY, canaryPercent=10, kourier={"replicas": 2})
    environment.up()
    gateway(environment, faults, 2)
    trust_figures.keep(environment, "faults", {"faults": [asdict(fault) for fault in faults.found]})
    promised = ("controller", "webhook", "autoscaler", *STORES)
    assert not lost(faults, *promised), "Knative promises that none is lost while its control plane is away"
    assert not lost(faults, "gateway is drained, one of 2"), "the other gateway takes the requests"

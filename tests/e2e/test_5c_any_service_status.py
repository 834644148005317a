"""`python -m status` and `rollout` for services that name no info path, on a real cluster: what users' requests show at
the gateway, from outside and from inside the cluster; who is not woken; and what never gets a ✓.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.sources.gateway import of_cluster
from settings.definitions import INFO_PATH
from status import wanted
from tests.conference import REPOSITORIES
from tests.e2e.environment import PROJECT, Environment, eventually
from tests.e2e.traffic import Client

CONFERENCE = "notifications-service"
KEPT, LOCAL = {"autoscaling.knative.dev/min-scale": "1"}, {"networking.knative.dev/visibility": "cluster-local"}
PATH = "/notifications/"
"""A page of the image that says nothing of its pod."""


def manifest(folder: Path, name: str, **given: Any) -> str:
    """A file with a Knative Service whose image needs Kafka alone.

    given: `metadata` of the Service, `annotations` of its template.
    """
    env = [{"name": "KAFKA_URL", "value": "kafka.default.svc.cluster.local"}]
    metadata = {"name": name, **given.get("metadata", {})}
    metadata["annotations"] = {"knative-releases/needs": "kafka", **metadata.get("annotations", {})}
    template = {
        "metadata": {"annotations": given.get("annotations", {})},
        "spec": {"containers": [{"image": f"{REPOSITORIES[CONFERENCE]}:v1.0.0", "env": env}]},
    }
    document = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata}
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump({**document, "spec": {"template": template}}))
    return str(file)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The settings of the services, beside the conference application."""
    folder = tmp_path_factory.mktemp("manifests")
    files = {
        "hello": manifest(folder, "hello", annotations=KEPT),
        "inner": manifest(folder, "inner", annotations=KEPT, metadata={"namespace": "shop", "labels": LOCAL}),
        "asleep": manifest(folder, "asleep", metadata={"namespace": "shop"}),
        "wrong": manifest(folder, "wrong", annotations=KEPT, metadata={"annotations": {INFO_PATH: "/nothing"}}),
    }
    found: dict[str, Any] = {name: {"manifest": file} for name, file in files.items()}
    found["hello"]["tracks"] = {"canary": {"version": "v1.1.0", "percent": 30, "tag": "next"}}
    return found


@pytest.fixture(scope="module")
def released(environment: Environment, services: dict[str, Any]) -> Environment:
    """The environment with them."""
    environment.configure(services)
    environment.up()
    return environment


@contextlib.contextmanager
def users(client: Client, *hosts: str) -> Iterator[list[int]]:
    """Requests to some services without an end, one after the other; the statuses that came back."""
    statuses: list[int] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            for host in hosts:
                statuses.append(client.request(host, PATH).status)
            time.sleep(0.02)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield statuses
    finally:
        ended.set()
        thread.join()


def status(environment: Environment, *arguments: str) -> str:
    """What `python -m status` prints."""
    return environment.run(sys.executable, "-m", "status", "--stack", environment.name, *arguments, seconds=90)


def shown(environment: Environment, *arguments: str) -> dict[str, dict[str, Any]]:
    """The services of `python -m status --json`, by name."""
    document = json.loads(status(environment, "--json", *arguments))
    return {service["name"]: service for service in document["services"]}


def from_inside(environment: Environment, host: str, requests: int) -> list[str]:
    """Send requests to the gateway's listener for the inside of the cluster; the statuses that came back."""
    address = environment.kubectl(
        "get", "service", "kourier-internal", "--namespace", "kourier-system", "-o", "jsonpath={.spec.clusterIP}"
    )
    asked = ["curl", "--silent", "--header", f"Host: {host}", "--write-out", "%{http_code} ", "--output", "/dev/null"]
    urls = f"http://{address}{PATH}?[1-{requests}]"
    return environment.run("docker", "exec", environment.node, *asked, urls, seconds=60).split()


def test_users_requests_are_observed_and_those_by_a_tag_are_not(released: Environment, client: Client) -> None:
    with users(client, "hello", "next-hello") as statuses:
        hello = shown(released, "--seconds", "10")["hello"]
    assert set(statuses) == {200}
    counts, (stable, canary) = hello["counts"], hello["tracks"]
    assert hello["sample"] is None and 9 <= counts["seconds"] <= 15, "it was asked, or not for so long"
    assert 40 <= counts["requests"] <= len(statuses) / 2 + 5 and not counts["failed"], (counts, len(statuses))
    assert stable["observed"] + canary["observed"] == counts["requests"] and canary["observed"], "whose they are"
    assert stable["fits"] and canary["fits"], "requests by the tag count, or not those of users"
    assert any("by a tag" in note for note in counts["notes"]) and hello["state"] == "well", hello


def test_requests_from_inside_are_observed_of_a_cluster_local_service(released: Environment) -> None:
    host = "inner.shop.svc.cluster.local"
    assert released.outputs()["services"]["inner"]["url"] == f"http://{host}"
    with subprocess.Popen(
        [sys.executable, "-m", "status", "--stack", released.name, "--json", "--seconds", "12", "--requests", "0"],
        cwd=PROJECT,
        env=released.env,
        text=True,
        stdout=subprocess.PIPE,
    ) as looking:
        end = time.monotonic() + 90
        while looking.poll() is None and time.monotonic() < end:
            assert from_inside(released, host, 5) == ["200"] * 5
        assert looking.stdout is not None
        document = json.loads(looking.stdout.read())
    (inner,) = (service for service in document["services"] if service["name"] == "inner")
    assert (inner["url"], inner["cluster_local"], inner["namespace"]) == (f"http://{host}", True, "shop")
    assert inner["counts"]["requests"] >= 5 and inner["state"] == "well", inner
    assert inner["tracks"][0]["observed"] == inner["counts"]["requests"]


def test_a_service_without_pods_is_read_and_not_woken(released: Environment) -> None:
    def pods() -> list[Any]:
        return released.get("pods", "-n", "shop", "-l", "serving.knative.dev/service=asleep")

    eventually(150, "asleep without pods", lambda: not pods(), every=3)
    asleep = shown(released, "--seconds", "1")["asleep"]
    assert (asleep["state"], asleep["counts"]["requests"], asleep["counts"]["skipped"]) == ("well", 0, None), asleep
    assert not pods(), "looking starts nothing"


def test_what_fails_never_gets_a_check_mark(released: Environment) -> None:
    command = [sys.executable, "-m", "status", "--stack", released.name, "--exit-code", "--seconds", "1"]
    done = subprocess.run(command, cwd=PROJECT, env=released.env, capture_output=True, text=True, check=False)
    text = done.stdout
    assert done.returncode == 3, "a script takes it for well"
    assert "✗ wrong" in text and "✓ hello" in text and "✗ 40 × status 404" in text, text


def test_the_sample_is_no_users_traffic_to_a_rollout(released: Environment) -> None:
    outputs = json.loads(released.pulumi("stack", "output", "--json", "--show-secrets"))
    said = wanted.of_outputs(released.name, outputs)
    source = of_cluster(said.kubeconfig, said.status.cluster)
    source.begin(next(service for service in said.status.services if service.name == CONFERENCE))
    sample = shown(released, "--requests", "60", "--seconds", "0")[CONFERENCE]["sample"]
    assert sample["sent"] > 20 and not sample["failures"], sample
    read = source.read()
    assert {track: each.requests for track, each in read.items()} == {"stable": 0}, read


@pytest.mark.long
def test_a_blue_green_rollout_looks_at_the_first_page_before_users_do(
    released: Environment, services: dict[str, Any], client: Client
) -> None:
    released.configure({**services, "hello": {"manifest": services["hello"]["manifest"]}})
    released.up()
    start = [sys.executable, "-m", "rollout", "start", "hello", "--stack", released.name, "--to", "v1.1.0"]
    plan = ["--strategy", "blue-green", "--interval", "6s", "--min-requests", "30", "--json"]
    refused = released.run(*start, *plan, "--source", "probes", check=False)
    assert not refused and released.outputs()["services"]["hello"]["tracks"].keys() == {"stable"}
    with users(client, "hello") as statuses:
        events = [json.loads(line) for line in released.run(*start, *plan, seconds=400).splitlines() if line[:1] == "{"]
    judged = [(each["source"], each["verdict"]["outcome"]) for each in events if "verdict" in each]
    assert judged == [("probes", "passed"), ("gateway", "passed")], events
    assert set(statuses) == {200}, "a user saw it"

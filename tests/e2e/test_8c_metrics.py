"""The gateway's numbers on a cluster: users' requests to the last one, without those of tags and of the tool itself."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import pytest

from analysis.model import Sample, Thresholds
from analysis.sources import Reach, source
from analysis.sources.gateway import Gateway
from analysis.verdict import judge
from components.manifests import GATEWAY
from status.counters.pods import ClusterPods
from status.model import Service
from status.wanted import Wanted, of_outputs
from tests.conference import SERVICES
from tests.e2e.environment import Environment, eventually
from tests.e2e.traffic import Client, Prober

SERVICE = "notifications-service"
HALF_BAD = {
    SERVICE: {
        "stable": {"version": "v1.0.0"},
        "tracks": {
            "candidate": {
                "version": "v1.1.0",
                "percent": 50,
                "tag": "candidate",
                "env": {"FAULT_ERROR_PERCENT": "20", "FAULT_LATENCY_MS": "300"},
            }
        },
    }
}
LIMITS = Thresholds(max_error_rate=0.01, max_p95=250, min_requests=20)
REQUESTS, LOAD_SECONDS = 600, 40.0
"""Of the load: enough to compare latencies; and the longest time that they may take."""
SHORT_LOAD_SECONDS = 6.0


def wanted(environment: Environment) -> Wanted:
    """What the stack's outputs say, the kubeconfig included."""
    said = environment.pulumi("stack", "output", "--json", "--show-secrets")
    return of_outputs(environment.name, json.loads(said))


@pytest.fixture(scope="module")
def release(environment: Environment) -> Wanted:
    """Notifications at 50/50 with a version that fails a fifth of its requests, and takes 300 ms for each."""
    environment.configure(HALF_BAD)
    environment.up()
    return wanted(environment)


def service(release: Wanted) -> Service:
    """The service under test."""
    return next(service for service in release.status.services if service.name == SERVICE)


def gateway(release: Wanted) -> Gateway:
    """The source, as a rollout gets it."""
    return Gateway(ClusterPods(release.kubeconfig, release.status.cluster))


def merged(metrics: Gateway) -> Mapping[str, Sample]:
    """The samples, once the gateway has merged its latencies: of each answered request one."""

    def whole() -> Mapping[str, Sample] | None:
        samples = metrics.read()
        return samples if all(s.latency.count == s.requests for s in samples.values()) else None

    found: Mapping[str, Sample] = eventually(10, "a latency of each request", whole, every=0.5)
    return found


def sent(prober: Prober, tested: Service) -> dict[str, int]:
    """How many requests of the load each track got; only the candidate fails any."""
    counts = {
        str(track.name): sum(probe.pod.startswith(f"{track.revision.name}-") for probe in prober.probes)
        for track in tested.tracks
    }
    assert sum(counts.values()) + len(prober.lost) == prober.sent
    return {**counts, "candidate": counts["candidate"] + len(prober.lost)}


def test_users_requests_are_counted_to_the_last_one(release: Wanted, client: Client) -> None:
    tested, metrics = service(release), gateway(release)
    reach = Reach(kubeconfig=release.kubeconfig, cluster=release.status.cluster, path=SERVICES[SERVICE].info_path)
    probes = source("probes", reach)
    metrics.begin(tested)
    with Prober(client, SERVICE, workers=16) as prober:
        end = time.monotonic() + LOAD_SECONDS
        probes.begin(tested)
        while prober.sent < REQUESTS and time.monotonic() < end:
            client.request(f"candidate-{SERVICE}", "/service/info")
            client.request(SERVICE, "/service/info", headers={"Knative-Serving-Tag": "candidate"})
            probed = probes.read()
    samples = merged(metrics)
    assert {name: sample.requests for name, sample in samples.items()} == sent(prober, tested)
    assert (samples["stable"].errors, samples["candidate"].errors) == (0, len(prober.lost))
    assert probed["candidate"].errors > 0 and probed["stable"].origin == "probe"
    assert "by a tag or of this tool are left out" in samples["candidate"].notes[0]
    verdict = judge(samples["stable"], samples["candidate"], LIMITS, looks=4)
    failed = {finding.metric for finding in verdict.findings if finding.outcome == "failed"}
    assert failed == {"error rate", "error rate against stable", "p95", "p95 against stable"}, verdict.reasons
    print("\n".join(verdict.reasons))


@pytest.mark.long
def test_a_second_gateway_and_the_end_of_the_first_lose_little(
    environment: Environment, release: Wanted, client: Client
) -> None:
    tested, metrics = service(release), gateway(release)
    metrics.begin(tested)
    scale(environment, 2)
    with Prober(client, SERVICE) as prober:
        time.sleep(SHORT_LOAD_SECONDS)
    samples = merged(metrics)
    assert {name: sample.requests for name, sample in samples.items()} == sent(prober, tested), "two gateways add up"
    scale(environment, 1)
    with Prober(client, SERVICE) as later:
        time.sleep(SHORT_LOAD_SECONDS)
    after = metrics.read()
    assert sum(s.requests for s in after.values()) >= prober.sent + 0.9 * later.sent, "what is gone still counts"


def scale(environment: Environment, gateways: int) -> None:
    """So many gateways, all of them ready."""
    environment.kubectl("scale", "deployment", GATEWAY, "-n", "kourier-system", f"--replicas={gateways}")
    environment.kubectl("rollout", "status", "deployment", GATEWAY, "-n", "kourier-system", "--timeout=90s")

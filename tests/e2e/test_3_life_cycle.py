"""The life of an environment, from nothing to nothing, on a real cluster. The tests build on one another, in this
order.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any

import pytest

from tests.e2e.environment import Environment, eventually
from tests.e2e.traffic import Client, Prober, assert_share, observed

SERVICES = ("frontend", "c4p-service", "agenda-service", "notifications-service")
NOTIFICATIONS = "notifications-service"
CANARY = {NOTIFICATIONS: {"tracks": {"canary": {"version": "v1.1.0"}}}}
DARK = {
    "frontend": {
        "stable": {"tag": "current"},
        "tracks": {"version110": {"version": "v1.1.0", "tag": "version110", "env": {"FEATURE_DEBUG_ENABLED": "true"}}},
    }
}
SAMPLE = 1000


def revisions(environment: Environment, service: str) -> list[str]:
    """Names of a service's revisions that have pods, tracks included."""
    pods = environment.get("pods", "-l", f"serving.knative.dev/service={service}")
    return sorted(
        {
            pod["metadata"]["labels"]["serving.knative.dev/revision"]
            for pod in pods
            if not pod["metadata"].get("deletionTimestamp")
        }
    )


@pytest.fixture(scope="module")
def up(environment: Environment) -> Environment:
    """The environment with the tutorial's settings: a canary at 0 and a dark frontend."""
    environment.configure({**CANARY, **DARK}, canaryPercent=0)
    environment.up()
    return environment


def test_up_from_nothing_makes_four_services_ready_and_answering(up: Environment, client: Client) -> None:
    ready = {
        s["metadata"]["name"]: {c["type"]: c["status"] for c in s["status"]["conditions"]}["Ready"]
        for s in up.get("ksvc")
    }
    assert ready == dict.fromkeys(SERVICES, "True"), "every service is Ready when up returns"
    for service in SERVICES:
        assert client.version(service) == "1.0.0", f"{service} answers by its Host header at once"


def test_the_outputs_say_where_each_service_is_and_keep_the_kubeconfig_secret(up: Environment) -> None:
    outputs = up.outputs()
    assert set(outputs["services"]) == set(SERVICES)
    assert outputs["services"]["frontend"]["url"] == f"http://frontend.default.127.0.0.1.sslip.io:{up.port}"
    assert outputs["services"]["frontend"]["tracks"]["version110"]["header"] == "Knative-Serving-Tag: version110"
    assert "certificate-authority-data" not in json.dumps(outputs), "the kubeconfig is a secret"
    assert "client-key-data" not in up.pulumi("stack", "export"), "nor is it in plain text in the state"


@pytest.mark.usefixtures("up")
def test_a_dark_version_is_reached_by_its_url_and_by_the_header_alone(client: Client) -> None:
    assert client.version("version110-frontend") == "1.1.0"
    assert client.version("frontend", headers={"Knative-Serving-Tag": "version110"}) == "1.1.0"
    assert client.version("frontend", headers={"Knative-Serving-Tag": "nobody"}) == "1.0.0", (
        "an unknown tag is the main route"
    )
    assert observed(client, "frontend", 50) == {"1.0.0": 50}, "at 0 percent no request of the main URL reaches it"


def test_a_proposal_goes_through_every_service_and_store(up: Environment, client: Client) -> None:
    proposal = {"title": "Safe releases", "description": "by percentages", "author": "Ada", "email": "ada@example.com"}
    posted = client.request("frontend", "/api/c4p/proposals/", "POST", proposal)
    assert posted.status < 300, posted
    found = [p for p in client.request("frontend", "/api/c4p/proposals/").json() if p["title"] == "Safe releases"]
    assert len(found) == 1, "the proposal is listed"
    rows = in_postgresql(up, "select title from proposals")
    assert "Safe releases" in rows, "the proposal is a row in PostgreSQL"

    decided = client.request("frontend", f"/api/c4p/proposals/{found[0]['id']}/decide/", "POST", {"approved": True})
    assert decided.status < 300, decided
    agenda = client.request("frontend", "/api/agenda/agenda-items/").json()
    assert [item["title"] for item in agenda] == ["Safe releases"], "approval puts it on the agenda"
    assert "Safe releases" in in_redis(up), "the agenda item is in Redis"
    notifications = client.request("frontend", "/api/notifications/notifications/").json()
    assert len(notifications) == 1, "the decision sends one notification"

    def event_types() -> set[str]:
        return {event["type"] for event in client.request("frontend", "/api/events/").json()}

    eventually(30, "events of c4p, agenda and notifications at the frontend", lambda: len(event_types()) >= 3)


def in_postgresql(environment: Environment, query: str) -> str:
    """Rows of a query, asked inside the database's pod with its own password."""
    script = f'PGPASSWORD="$POSTGRES_PASSWORD" psql -h 127.0.0.1 -U postgres -At -c "{query}"'
    return environment.kubectl("exec", "postgresql-0", "--", "bash", "-c", script)


def in_redis(environment: Environment) -> str:
    """Everything that Redis keeps, as text, asked inside its pod with its own password."""
    script = (
        'export REDISCLI_AUTH="$REDIS_PASSWORD"; for k in $(redis-cli --raw keys "*"); do '
        'redis-cli --raw hvals "$k" 2>/dev/null; redis-cli --raw get "$k" 2>/dev/null; done'
    )
    return environment.kubectl("exec", "redis-master-0", "--", "bash", "-c", script)


def test_a_second_up_changes_nothing(up: Environment) -> None:
    up.up("--expect-no-changes")


def test_a_refresh_finds_nothing_changed(up: Environment) -> None:
    up.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_agenda_and_c4p_scale_to_zero_and_answer_from_zero(up: Environment, client: Client) -> None:
    for service in ("agenda-service", "c4p-service"):
        eventually(180, f"{service} without pods", lambda s=service: not revisions(up, s), every=3)
    for service in ("frontend", NOTIFICATIONS):
        assert revisions(up, service), f"{service} keeps a pod: its data is in memory"
    for service in ("agenda-service", "c4p-service"):
        assert client.version(service) == "1.0.0", f"{service} answers from zero"


@pytest.mark.parametrize("percent", [50, 10])
def test_a_canary_gets_its_share_and_no_request_is_lost(up: Environment, client: Client, percent: int) -> None:
    up.configure({**CANARY, **DARK}, canaryPercent=percent)
    with Prober(client, NOTIFICATIONS) as prober:
        up.up()
        assert_share(observed(client, NOTIFICATIONS, SAMPLE), "1.1.0", percent)
    prober.assert_nothing_lost()


def test_at_zero_the_canary_is_gone_and_no_request_is_lost(up: Environment, client: Client) -> None:
    up.configure({**CANARY, **DARK}, canaryPercent=0)
    with Prober(client, NOTIFICATIONS) as prober:
        up.up()
        assert_share(observed(client, NOTIFICATIONS, 200), "1.0.0", 100)
    prober.assert_nothing_lost()
    names = [c["metadata"]["name"] for c in up.get("configurations.serving.knative.dev")]
    assert f"{NOTIFICATIONS}-canary" not in names, "an aborted canary leaves nothing"


def test_after_promotion_the_old_version_has_no_pods(up: Environment, client: Client) -> None:
    up.configure({**CANARY, **DARK}, canaryPercent=50)
    up.up()
    promoted: dict[str, Any] = {NOTIFICATIONS: {"stable": {"version": "v1.1.0"}}, **DARK}
    with Prober(client, NOTIFICATIONS) as prober:
        up.configure(promoted)
        up.up()
        assert_share(observed(client, NOTIFICATIONS, 200), "1.1.0", 100)
    prober.assert_nothing_lost()
    revision = up.outputs()["services"][NOTIFICATIONS]["tracks"]["stable"]["revision"]
    eventually(180, "pods of the promoted revision alone", lambda: revisions(up, NOTIFICATIONS) == [revision], every=3)


def test_destroy_leaves_nothing_and_again_is_a_clean_no_op(up: Environment) -> None:
    begun = time.monotonic()
    up.destroy()
    print(f"destroy took {time.monotonic() - begun:.1f} s")
    assert up.resources() == [], "no resource in the state"
    assert up.containers() == [], "no container"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", up.port)) != 0, "the port is closed"
    up.destroy()


def test_an_empty_cluster_goes_straight_into_a_split(environment: Environment, client: Client) -> None:
    environment.configure(CANARY, canaryPercent=50)
    environment.up()
    assert_share(observed(client, NOTIFICATIONS, SAMPLE), "1.1.0", 50)

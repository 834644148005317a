"""Stores that live: a password that is set, changed or removed, and a volume of another size, with the data kept."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.environment import CommandError, Environment, eventually
from tests.e2e.secrets_search import Secrets
from tests.e2e.test_3_life_cycle import in_postgresql
from tests.e2e.test_9d_faults import proposed
from tests.e2e.test_9e_secrets import known
from tests.e2e.traffic import Client

pytestmark = pytest.mark.long
USERS = ("c4p-service", "agenda-service")
"""Services that log in to a store."""


@pytest.fixture(scope="module")
def up(environment: Environment) -> Environment:
    """The environment with the default settings."""
    environment.configure()
    environment.up()
    return environment


def start_again(environment: Environment) -> None:
    """Have the services that log in start as after a scaling to zero: with what the cluster says now."""
    for service in USERS:
        environment.kubectl("delete", "pods", "-l", f"serving.knative.dev/service={service}", "--wait=false")


def start_the_database_again(environment: Environment) -> None:
    """Have PostgreSQL start with the password and the volume that it has now."""

    def answers() -> bool:
        try:
            return "before" in in_postgresql(environment, "SELECT title FROM proposals")
        except CommandError:  # it is starting
            return False

    environment.kubectl("delete", "pod", "postgresql-0")
    eventually(120, "the database is back, with its data", answers)


def pods(environment: Environment, service: str) -> set[str]:
    """UIDs of a service's pods, without those that have been told to end: they drain for half a minute."""
    found = environment.get("pods", "-l", f"serving.knative.dev/service={service}")
    return {pod["metadata"]["uid"] for pod in found if "deletionTimestamp" not in pod["metadata"]}


def outside_of_secrets(environment: Environment) -> str:
    """All that the cluster shows to who may not read Secrets: objects and the logs of the stores."""
    kinds = "pods,statefulsets,configmaps,services,ksvc,revisions,deployments,jobs,events"
    logs = [environment.kubectl("logs", pod) for pod in ("postgresql-0", "redis-master-0")]
    return environment.kubectl("get", kinds, "--all-namespaces", "-o", "json") + "".join(logs)


def works(client: Client, title: str) -> None:
    """Have a proposal go through every service and store; tried again while pods that were told to end still do."""

    def tried() -> bool:
        try:
            proposed(client, f"{title} {secrets.token_hex(2)}")
        except AssertionError:
            return False
        return True

    eventually(120, f"a proposal goes through every store: {title}", tried)


def assert_works(environment: Environment, client: Client, title: str, before: dict[str, str]) -> None:
    """The services write and read with other passwords than before, also after they start again."""
    words = known(environment)
    assert words["postgresql"] != before["postgresql"] and words["redis"] != before["redis"], "nothing was changed"
    works(client, f"{title}, at once")
    start_again(environment)
    works(client, f"{title}, started again")
    found = Secrets({**before, **words}).found_in(outside_of_secrets(environment).encode())
    assert not found, f"in plain text in the cluster, outside of its Secrets: {found}"


def set_passwords(environment: Environment, *words: str) -> None:
    """Give both stores passwords."""
    for key, word in zip(("postgresqlPassword", "redisPassword"), words, strict=True):
        environment.run("pulumi", "--stack", environment.name, "config", "set", "--secret", key, stdin=word)


def test_passwords_that_are_set_changed_and_removed_later_are_the_stores(up: Environment, client: Client) -> None:
    proposed(client, "before")
    before = known(up)
    assert not Secrets(before).found_in(outside_of_secrets(up).encode()), "the generated ones are in plain text"
    for round_ in ("set", "changed"):
        # Characters that a shell, SQL and Redis' own language read in their own ways.
        set_passwords(up, *(f'{round_}\'s "own" \\ $x {secrets.token_hex(16)}' for _ in range(2)))
        preview = up.pulumi("preview")
        assert "the password of postgresql changes" in preview and "the password of redis changes" in preview
        users = {service: pods(up, service) for service in USERS}
        up.up()
        assert_works(up, client, round_, before)
        assert all(not pods(up, service) & were for service, were in users.items()), "a pod has the old password"
        before = known(up)
    up.configure()  # without them
    up.up()
    assert_works(up, client, "removed", before)
    assert "unchanged" in up.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")
    start_the_database_again(up)
    works(client, "after")


def test_an_up_that_ended_between_server_and_secret_is_finished_by_the_next(up: Environment, client: Client) -> None:
    words = [secrets.token_hex(16) for _ in range(2)]
    script = f"ALTER ROLE postgres PASSWORD '{words[0]}'"
    in_postgresql(up, script)  # the server has it, the Secret and the state do not
    set_passwords(up, *words)
    before = known(up)
    up.up()
    assert_works(up, client, "finished", before)
    start_the_database_again(up)


def stateful_set(environment: Environment, name: str) -> dict[str, Any]:
    """Spec of a StatefulSet."""
    spec: dict[str, Any] = json.loads(environment.kubectl("get", "statefulset", name, "-o", "json"))["spec"]
    return spec


@pytest.fixture
def growing(up: Environment) -> Iterator[Environment]:
    """The environment, with a default storage class that takes requests for more."""
    patch = '{"allowVolumeExpansion": %s}'
    up.kubectl("patch", "storageclass", "standard", "--patch", patch % "true")
    yield up
    up.kubectl("patch", "storageclass", "standard", "--patch", patch % "false")


def refused(environment: Environment, *command: str) -> str:
    """Output of a command that has to fail."""
    with pytest.raises(CommandError) as failed:
        environment.pulumi(*command)
    assert "Traceback" not in str(failed.value), "a person reads a message, not a traceback"
    return str(failed.value)


def test_a_volume_that_cannot_become_what_is_wanted_is_refused_in_the_preview(up: Environment, client: Client) -> None:
    for wanted in ({"size": "2Gi"}, {"size": "512Mi"}, {"storageClass": "other"}):
        up.configure(postgresql=wanted)
        for command in (("preview",), ("up", "--yes", "--skip-preview")):
            output = refused(up, *command)
            assert "the volume of postgresql has 1Gi of the storage class standard" in output, output
            assert "'knative-releases:postgresql.size' 1Gi" in output, "the way back is named"
            assert "Forbidden" not in output and "forbidden" not in output, "Helm was asked"
    works(client, "refused")
    up.configure()
    up.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_a_volume_grows_where_its_class_allows_it(growing: Environment, client: Client) -> None:
    before = growing.get("pods", "-l", "app.kubernetes.io/instance=postgresql")[0]["metadata"]["uid"]
    growing.configure(postgresql={"size": "2Gi"})
    growing.up()
    (claim,) = growing.get("pvc", "-l", "app.kubernetes.io/instance=postgresql")
    assert claim["spec"]["resources"]["requests"]["storage"] == "2Gi", "the claim asks for no more than before"
    (template,) = stateful_set(growing, "postgresql")["volumeClaimTemplates"]
    assert template["spec"]["resources"]["requests"]["storage"] == "2Gi"
    after = growing.get("pods", "-l", "app.kubernetes.io/instance=postgresql")[0]["metadata"]["uid"]
    assert after == before, "the database was stopped"
    works(client, "grown")
    growing.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes")


def test_the_named_commands_begin_with_an_empty_volume(up: Environment, client: Client) -> None:
    settings: dict[str, Any] = {"postgresql": {"size": "2Gi"}, "redis": {"size": "512Mi"}}
    up.configure(**settings)
    output = refused(up, "preview")
    (line,) = [line for line in output.splitlines() if "Or begin with an empty one" in line]
    deletion, _, rest = line.partition("is lost: ")[2].partition(" && ")
    assert rest.strip() == "pulumi up"
    up.run(*deletion.split())
    up.up()
    (claim,) = up.get("pvc", "-l", "app.kubernetes.io/instance=redis")
    assert claim["spec"]["resources"]["requests"]["storage"] == "512Mi"
    works(client, "in an empty Redis")

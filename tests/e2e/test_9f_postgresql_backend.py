"""The state in a PostgreSQL database: a whole life of an environment, and two people at once."""

from __future__ import annotations

import os
import secrets
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from components.sources.images import ImageMap
from offline.cache import root
from settings.model import Sources
from tests.e2e.environment import SOURCES, CommandError, Environment, eventually
from tests.e2e.traffic import Client, assert_share, observed

pytestmark = pytest.mark.long

NOTIFICATIONS = "notifications-service"
CANARY = {NOTIFICATIONS: {"tracks": {"canary": {"version": "v1.1.0"}}}}
UPSTREAM = "docker.io/bitnamilegacy/postgresql:15.3.0-debian-11-r7"


class Database:
    """A PostgreSQL server of its own in a container that listens on 127.0.0.1."""

    def __init__(self, name: str) -> None:
        self.name = f"{name}-state"
        self.password = secrets.token_urlsafe(16)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        sources = Sources.model_validate(yaml.safe_load(SOURCES.read_text()) if SOURCES.exists() else {})
        for archive in sources.archives:
            if Path(archive).stem == "postgresql":
                _docker("load", "--input", archive)
        self.stop()
        options = ["--detach", "--name", self.name, "--publish", "127.0.0.1::5432", "--env", "POSTGRES_PASSWORD"]
        volume = ["--tmpfs", "/bitnami/postgresql:mode=1777"]
        _docker("run", *options, *volume, ImageMap(sources.images).redirected(UPSTREAM), password=self.password)
        eventually(60, "an answer of the database", lambda: self.query("select 1", check=False) == "1")

    def stop(self) -> None:
        """Remove it; one that is not there is no error."""
        _docker("rm", "--force", "--volumes", self.name)

    @property
    def url(self) -> str:
        """Pulumi's backend. The password is not in it, but in PGPASSWORD."""
        address = _docker("port", self.name, "5432/tcp").split()[0]
        return f"postgres://postgres@{address}/postgres?sslmode=disable"

    def query(self, sql: str, check: bool = True) -> str:
        """Rows of a query."""
        script = f'PGPASSWORD="$POSTGRES_PASSWORD" psql -h 127.0.0.1 -U postgres -At -c "{sql}"'
        return _docker("exec", self.name, "bash", "-c", script, check=check).strip()


def _docker(*arguments: str, password: str = "", check: bool = True) -> str:
    environment = {**os.environ, "POSTGRES_PASSWORD": password}
    done = subprocess.run(["docker", *arguments], env=environment, text=True, capture_output=True, check=False)
    assert not (check and done.returncode), f"docker {' '.join(arguments)}:\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """An empty database."""
    database = Database(os.environ.get("E2E_NAME", "e2e"))
    database.start()
    yield database
    database.stop()


@pytest.fixture(scope="module")
def shared(database: Database) -> Iterator[Environment]:
    """An environment whose state is in the database; what a broken run left is removed through its marker."""
    name = f"{os.environ.get('E2E_NAME', 'e2e')}-shared"
    environment = Environment(name, root() / name)
    if environment.containers():
        environment.run("kind", "delete", "cluster", "--name", name)
    environment.env |= {"PULUMI_BACKEND_URL": database.url, "PGPASSWORD": database.password}
    environment.select()
    yield environment
    environment.clear()
    environment.close()


def test_an_environment_is_brought_up_and_released_with_its_state_in_the_database(
    shared: Environment, database: Database
) -> None:
    shared.configure(CANARY, canaryPercent=0)
    shared.up()
    shared.configure(CANARY, canaryPercent=50)
    shared.up()
    assert_share(observed(Client(shared.port), NOTIFICATIONS, 300), "1.1.0", 50)
    keys = database.query("select key from pulumi_state").splitlines()
    assert f"postgres/.pulumi/stacks/knative-releases/{shared.name}.json" in keys, "the state is in the database"
    assert not list((shared.home / "state").rglob("*.json")), "and in no file"
    plain = database.query("select count(*) from pulumi_state where data::text like '%client-key%'")
    assert plain == "0", "the kubeconfig is encrypted in it"


def test_a_second_person_is_told_that_somebody_is_at_it(shared: Environment, database: Database) -> None:
    shared.configure(CANARY, canaryPercent=10)
    locks = "select count(*) from pulumi_state where key like '%.pulumi/locks/%.json'"
    first = threading.Thread(target=shared.up)
    first.start()
    try:
        eventually(60, "a lock of the first", lambda: database.query(locks) != "0", every=0.05)
        with pytest.raises(CommandError, match="locked"):
            shared.up()
    finally:
        first.join()
    assert database.query(locks) == "0", "the first gave its lock back"
    assert_share(observed(Client(shared.port), NOTIFICATIONS, 300), "1.1.0", 10)


def test_destroy_leaves_nothing_in_the_state(shared: Environment) -> None:
    shared.destroy()
    assert shared.resources() == [] and shared.containers() == []

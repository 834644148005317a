"""The way back on a real cluster while something else is broken: a store, the settings file, the backend's lock."""

from __future__ import annotations

import getpass
import json
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.history import Ended, Event, Noted, Shared
from tests.e2e.environment import PROJECT, Environment, eventually
from tests.e2e.rollouts import SERVICE, Run, entry, killed, run
from tests.e2e.traffic import Client, observed

pytestmark = pytest.mark.long
PLAIN = {"stable": {"version": "v1.0.0"}}
PLAN = ("--to", "v1.1.0", "--interval", "6s", "--min-requests", "50", "--steps", "50,100", "--source", "probes")
BAD = (*PLAN, "--set", "env.FAULT_ERROR_PERCENT=40")
BACK, TERMINATED = 3, 143
LOCKED_SECONDS = 40.0


@pytest.fixture(scope="module")
def up(environment: Environment) -> Environment:
    """The environment with v1.0.0 of every service."""
    environment.configure({SERVICE: PLAIN})
    environment.up()
    return environment


@pytest.fixture
def plain(up: Environment) -> Environment:
    """The same, which each test leaves as it was, with settings that say so."""
    up.configure({SERVICE: PLAIN})
    return up


def file_of(environment: Environment) -> Path:
    """The stack's settings."""
    return PROJECT / f"Pulumi.{environment.name}.yaml"


def rolled_back(environment: Environment, act: Callable[[], object] = lambda: None) -> Run:
    """A rollout of a bad version, and what somebody does as soon as the bad version has its share."""
    acted: list[bool] = []

    def when(event: Event) -> bool:
        if isinstance(event, Shared) and not acted:
            acted.append(True)
            act()
        return False

    return killed(environment, when, "start", *BAD)


def assert_back(environment: Environment, client: Client, done: Run) -> None:
    """The tool says that it went back, and so do the stack, the cluster and the requests."""
    assert done.code == BACK and done.path == [50, -1], (done.errors, [e for e in done.events if isinstance(e, Noted)])
    assert done.of(Ended)[0].ending == "rolled back" and entry(environment) == PLAIN
    outputs = environment.outputs()
    assert outputs["rollouts"][SERVICE]["state"]["phase"] == "rolledBack"
    assert set(outputs["services"][SERVICE]["tracks"]) == {"stable"}
    assert [each["metadata"]["name"] for each in environment.get("configurations")].count(f"{SERVICE}-candidate") == 0
    eventually(10, "stable alone", lambda: observed(client, SERVICE, 50) == {"1.0.0": 50})


def notes(done: Run) -> str:
    """What it noted."""
    return "\n".join(event.text for event in done.events if isinstance(event, Noted))


def test_it_is_made_while_kafka_is_down(plain: Environment, client: Client) -> None:
    try:  # the candidate needs it to start, so it goes down afterwards
        done = rolled_back(plain, lambda: plain.kubectl("scale", "statefulset", "kafka", "--replicas=0"))
        assert plain.get("statefulsets", "--field-selector=metadata.name=kafka")[0]["spec"]["replicas"] == 0
        assert_back(plain, client, done)
    finally:
        plain.kubectl("scale", "statefulset", "kafka", "--replicas=1")
        plain.kubectl("rollout", "status", "statefulset", "kafka", "--timeout=120s")


def test_another_services_pending_edit_is_neither_deployed_nor_lost(plain: Environment, client: Client) -> None:
    before = plain.outputs()["services"]
    revisions = {each["metadata"]["name"] for each in plain.get("revisions")}
    edit = {
        "stable": {"version": "v1.0.0", "env": {"PENDING": "1"}},
        "tracks": {"next": {"version": "no-such-version", "tag": "next"}},
    }
    plain.configure({SERVICE: PLAIN, "frontend": edit})
    done = rolled_back(plain)
    assert_back(plain, client, done)
    assert plain.outputs()["services"] == before, "the outputs say what was not deployed"
    made = {each["metadata"]["name"] for each in plain.get("revisions")} - revisions
    assert all(name.startswith(f"{SERVICE}-candidate-") for name in made), f"not of the rollout: {made}"
    config = yaml.safe_load(file_of(plain).read_text())["config"]
    assert config["knative-releases:services"]["frontend"] == edit, "the person's edit stays as it was"


def test_a_typo_elsewhere_in_the_settings_does_not_stop_it(plain: Environment, client: Client) -> None:
    file = file_of(plain)

    def slip() -> None:
        file.write_text(file.read_text() + "  knative-releases:readyWithin: 3x\n")

    done = rolled_back(plain, slip)
    assert_back(plain, client, done)
    assert "readyWithin: 3x" in file.read_text() and "the rollout deploys none of them" in notes(done)


def test_a_half_saved_file_does_not_stop_it_and_gets_its_settings_afterwards(
    plain: Environment, client: Client
) -> None:
    file, whole = file_of(plain), ""

    def half() -> None:
        nonlocal whole
        whole = file.read_text()
        file.write_text(whole + '  knative-releases:readyWithin: "3m\n')

    def saved(event: Event) -> bool:
        if isinstance(event, Shared) and not whole:
            half()
        elif isinstance(event, Ended):
            assert "candidate" not in plain.outputs()["services"][SERVICE]["tracks"], "it waited for the file"
            file.write_text(whole)
        return False

    done = killed(plain, saved, "start", *BAD)
    assert_back(plain, client, done)
    assert "is no YAML" in notes(done) and "can be read again" in notes(done)


def test_it_waits_for_a_lock_and_says_what_the_candidate_still_has(plain: Environment, client: Client) -> None:
    folder = plain.home / "state" / ".pulumi" / "locks" / "organization" / "knative-releases" / plain.name
    locks: list[float] = []
    threads: list[threading.Thread] = []

    def lock() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{uuid.uuid4()}.json"
        who: dict[str, Any] = {"pid": os.getpid(), "username": getpass.getuser(), "hostname": socket.gethostname()}
        file.write_text(json.dumps({**who, "timestamp": "2026-01-01T00:00:00Z"}))
        locks.append(time.monotonic())

        def free() -> None:
            time.sleep(LOCKED_SECONDS)
            file.unlink()

        threads.append(threading.Thread(target=free))
        threads[0].start()

    done = rolled_back(plain, lock)
    threads[0].join()
    assert_back(plain, client, done)
    assert "candidate still has 50 percent: the update failed, and is tried again" in notes(done)
    assert "the stack is being updated" in notes(done) and time.monotonic() - locks[0] > LOCKED_SECONDS


def test_sigterm_is_an_end_in_order_and_an_abort_leads_back(plain: Environment, client: Client) -> None:
    stopped = killed(
        plain,
        lambda event: isinstance(event, Shared),
        "start",
        *PLAN,
        "--interval",
        "600s",
        with_signal=signal.SIGTERM,
    )
    assert stopped.code == TERMINATED and "candidate 50 percent" in stopped.errors, stopped
    assert f"rollout abort {SERVICE}" in stopped.errors
    file = file_of(plain)
    file.write_text(file.read_text() + "  knative-releases:readyWithin: 3x\n")
    begun = time.monotonic()
    aborted = run(plain, "abort")
    print(f"abort: {time.monotonic() - begun:.1f} s")
    assert aborted.code == 0 and aborted.of(Ended)[0].ending == "aborted", aborted.errors
    assert entry(plain) == PLAIN
    eventually(10, "stable alone", lambda: observed(client, SERVICE, 50) == {"1.0.0": 50})

"""Other tools on the stack's releases: what they change is reported, and taken back without a conflict."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
import yaml

from tests.e2e.environment import Environment
from tests.e2e.test_3_life_cycle import CANARY, NOTIFICATIONS


def drift(environment: Environment) -> list[str]:
    """What `python -m status` reports of the service as changed by somebody else. It may report more: a version of an
    earlier test that never got ready has pods until Knative's progress deadline.
    """
    command = [sys.executable, "-m", "status", "--stack", environment.name, "--json", "--requests", "0"]
    shown = json.loads(environment.run(*command, seconds=60))
    (service,) = (each for each in shown["services"] if each["name"] == NOTIFICATIONS)
    return [problem for problem in service["problems"] if " changed its " in problem]


def shares(environment: Environment) -> dict[str, int]:
    """The shares that the cluster's Service asks for, by revision."""
    (service,) = (s for s in environment.get("ksvc") if s["metadata"]["name"] == NOTIFICATIONS)
    return {each["revisionName"]: each["percent"] for each in service["spec"]["traffic"]}


def moved(environment: Environment) -> list[dict[str, Any]]:
    """All of the traffic to stable, as somebody writes it who is in a hurry."""
    stable = environment.outputs()["services"][NOTIFICATIONS]["tracks"]["stable"]["revision"]
    return [{"revisionName": stable, "percent": 100, "latestRevision": False}]


def by_merge_patch(environment: Environment) -> None:
    """As `kn` and consoles do it: an update, by a manager of their own."""
    patch = json.dumps({"spec": {"traffic": moved(environment)}})
    how = ["--type=merge", "--field-manager=kn", f"--patch={patch}"]
    environment.kubectl("patch", "ksvc", NOTIFICATIONS, "--namespace", "default", *how)


def by_force(environment: Environment) -> None:
    """As another deployment tool does it: a server-side apply that takes the field over."""
    metadata = {"name": NOTIFICATIONS, "namespace": "default"}
    (service,) = (s for s in environment.get("ksvc") if s["metadata"]["name"] == NOTIFICATIONS)
    spec = {"template": service["spec"]["template"], "traffic": moved(environment)}
    manifest = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": metadata, "spec": spec}
    how = ["--server-side", "--force-conflicts", "--field-manager=other-tool", "-f", "-"]
    environment.kubectl("apply", *how, stdin=yaml.safe_dump(manifest))


@pytest.mark.parametrize(("change", "manager"), [(by_merge_patch, "kn"), (by_force, "other-tool")])
def test_traffic_that_another_tool_moved_is_reported_and_taken_back(
    environment: Environment, change: Any, manager: str
) -> None:
    environment.configure(CANARY, canaryPercent=50)
    environment.up()
    assert not drift(environment)
    change(environment)
    found = drift(environment)
    assert len(found) == 1 and f"{manager} changed its traffic" in found[0], found
    assert "pulumi refresh --yes && pulumi up" in found[0], found
    environment.configure(CANARY, canaryPercent=20)
    environment.pulumi("preview")
    environment.up()
    assert sorted(shares(environment).values()) == [20, 80], "the next change is a conflict"
    assert not drift(environment)


def test_without_a_change_of_its_own_a_refresh_and_an_update_take_it_back(environment: Environment) -> None:
    environment.configure(CANARY, canaryPercent=50)
    environment.up()
    by_force(environment)
    environment.pulumi("refresh", "--yes", "--skip-preview")
    environment.up()
    assert sorted(shares(environment).values()) == [50, 50]
    assert not drift(environment)

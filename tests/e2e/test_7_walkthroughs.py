"""The documents of the strategies and of a service of one's own do what they say, typed word for word; and what a
preview of a flip shows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.environment import PROJECT, Environment
from tests.e2e.walkthrough import Shell, walk

STRATEGIES = ("canary", "promote-and-roll-back", "ab", "blue-green")
DOCUMENTS = [
    *(PROJECT / "docs" / "strategies" / f"{name}.md" for name in STRATEGIES),
    PROJECT / "docs" / "your-own-service.md",
]
NOTIFICATIONS = "notifications-service"


def committed(environment: Environment) -> dict[str, Any]:
    """The services' settings as committed: those of the working tree have what was typed since."""
    file = yaml.safe_load(environment.run("git", "show", "HEAD:Pulumi.dev.yaml"))
    services: dict[str, Any] = file["config"]["knative-releases:services"]
    return services


@pytest.fixture
def beginning(environment: Environment) -> Environment:
    """The environment as each document begins: the committed services."""
    environment.configure(committed(environment), canaryPercent=0)
    environment.up()
    return environment


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.stem)
def test_a_walk_through_does_what_it_says(beginning: Environment, document: Path) -> None:
    typing = {**beginning.env, "PULUMI_STACK": beginning.name, "INGRESS": f"http://127.0.0.1:{beginning.port}"}
    with Shell(PROJECT, typing) as shell:
        walk(document, shell, beginning.name, beginning.port)
    beginning.configure(committed(beginning), canaryPercent=0)
    beginning.up("--expect-no-changes")  # it ends where it began


def test_a_preview_of_a_flip_shows_just_the_traffic_that_changes(beginning: Environment) -> None:
    beginning.configure(committed(beginning), canaryPercent=50)
    beginning.up()
    beginning.configure(committed(beginning), canaryPercent=10)
    command = ("pulumi", "--non-interactive", "preview", "--json", "--stack", beginning.name)
    preview = json.loads(beginning.run(*command, check=False))
    changes = [step for step in preview["steps"] if step["op"] != "same"]
    assert [(step["op"], step["urn"].rpartition("::")[2]) for step in changes] == [("update", NOTIFICATIONS)]
    assert set(changes[0]["detailedDiff"]) == {"spec.traffic[0].percent", "spec.traffic[1].percent"}, changes[0]

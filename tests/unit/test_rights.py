"""docs/rights.md gives what the program asks an existing cluster for: every question has a rule, in the right place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.cluster.api_paths import question
from tests.unit.asked import TableCluster, knative
from tests.unit.recording import ROOT
from tests.unit.test_graph_existing import existing

PAGE = (ROOT / "docs" / "rights.md").read_text()
ROLES, BINDINGS = (list(yaml.safe_load_all(block.partition("```")[0])) for block in PAGE.split("```yaml\n")[1:])


def allowed(asked: str, roles: list[dict[str, Any]]) -> bool:
    """Whether roles allow a question, in the words of `components.cluster.api_paths.question`."""
    words, _, space = asked.partition(" in ")
    verb, kind, *name = words.split()
    plural, _, group = kind.partition(".")
    return any(
        role["metadata"].get("namespace", "") == space
        and verb in rule["verbs"]
        and plural in rule["resources"]
        and group in rule["apiGroups"]
        and (not rule.get("resourceNames") or set(name) <= set(rule["resourceNames"]))
        for role in roles
        for rule in role["rules"]
    )


def test_everything_that_is_asked_before_a_preview_is_in_the_role_for_looking(small: Path) -> None:
    asked = TableCluster(knative())
    recorded = existing(small, asked, knative={"install": False})
    assert recorded.error is None and len(asked.paths) > 10
    look = [role for role in ROLES if role["metadata"]["name"] == "knative-releases-look"]
    missing = [question(path) for path in asked.paths if not allowed(question(path), look)]
    assert not missing, f"the page leaves these out: {missing}"


@pytest.mark.parametrize("command", ["look", "release", "measure", "stores"])
def test_a_role_of_the_table_exists_and_only_the_stores_one_touches_secrets(command: str) -> None:
    roles = [role for role in ROLES if role["metadata"]["name"] == f"knative-releases-{command}"]
    assert roles and f"`knative-releases-{command}`" in PAGE.partition("```yaml")[0]
    secrets = [rule for role in roles for rule in role["rules"] if "secrets" in rule["resources"]]
    assert bool(secrets) == (command == "stores"), "who changes a share could read the passwords"


def test_every_binding_names_a_role_of_the_page_in_its_namespace() -> None:
    known = {(role["kind"], role["metadata"]["name"], role["metadata"].get("namespace")) for role in ROLES}
    bound = [each for each in BINDINGS if "roleRef" in each]
    named = {(b["roleRef"]["kind"], b["roleRef"]["name"], b["metadata"].get("namespace")) for b in bound}
    assert bound and named <= known, f"these bind nothing: {named - known}"

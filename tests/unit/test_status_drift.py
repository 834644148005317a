"""What somebody changed in the cluster after the last `up`: reported with who, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from status.reported import with_reported
from tests.unit.release_status import CANARY, OLD, STABLE, named, objects, wanted

WRITTEN = [{"revisionName": STABLE, "percent": 50}, {"revisionName": CANARY, "percent": 50, "tag": "next"}]
TAKEN = [{"revisionName": STABLE, "percent": 100, "latestRevision": False}]
BACK = "pulumi refresh --yes && pulumi up"


def written(manager: str, part: str, time: str = "2026-11-23T09:00:00Z") -> dict[str, Any]:
    """An entry of an object's managedFields."""
    return {"manager": manager, "time": time, "fieldsV1": {"f:spec": {f"f:{part}": {}}}}


def problems(
    managers: Sequence[dict[str, Any]],
    traffic: Sequence[dict[str, Any]] = WRITTEN,
    template: str = STABLE,
    **track: Any,
) -> tuple[str, ...]:
    """What is reported of the release whose Service has this spec and was written by these."""
    service = named("notifications")
    service["metadata"]["managedFields"] = list(managers)
    service["spec"] = {"traffic": list(traffic), "template": {"metadata": {"name": template}}}
    configurations = {"notifications-canary": {**named("notifications-canary"), **track}}
    found = objects(services={"notifications": service}, configurations=configurations)
    return with_reported(wanted().status.services[0], found).problems


@pytest.mark.parametrize("manager", ["kubectl-patch", "kn", "kubectl-edit", "Mozilla"])
def test_traffic_that_somebody_else_wrote_is_told_with_the_way_back(manager: str) -> None:
    (told,) = problems([written("knative-releases", "template"), written(manager, "traffic")], TAKEN)
    assert told.startswith(f"Service notifications: {manager} changed its traffic at 2026-11-23T09:00:00Z")
    assert told.endswith(BACK), "an `up` alone changes nothing"


def test_the_last_of_several_is_told() -> None:
    earlier, last = written("kn", "traffic"), written("argocd", "traffic", "2026-11-23T09:30:00Z")
    (told,) = problems([last, earlier], TAKEN)
    assert "argocd changed its traffic" in told


@pytest.mark.parametrize("template", [OLD, ""], ids=["another name", "no name"])
def test_a_template_that_somebody_else_wrote_is_told(template: str) -> None:
    (told,) = problems([written("kn", "template")], template=template)
    assert told.startswith("Service notifications: kn changed its template") and told.endswith(BACK)


def test_so_is_the_template_of_a_track() -> None:
    metadata = {"name": "notifications-canary", "managedFields": [written("kn", "template")]}
    spec = {"template": {"metadata": {"name": OLD}}}
    (told,) = problems([written("knative-releases", "traffic")], metadata=metadata, spec=spec)
    assert told.startswith("Configuration notifications-canary: kn changed its template")


def test_what_an_update_that_failed_left_is_nobodys_change() -> None:
    ours = [written("knative-releases", part) for part in ("traffic", "template")]
    assert not problems(ours, TAKEN, OLD), "the stack's own old traffic is told as somebody's change"


def test_what_is_as_the_stack_wrote_it_is_no_drift_whoever_touched_it_since() -> None:
    (canary,) = [{"spec": {"template": {"metadata": {"name": CANARY}}}}]
    assert not problems([written("kubectl-patch", "traffic"), written("kn", "template")], WRITTEN, STABLE, **canary)

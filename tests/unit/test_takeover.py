"""Taking over a Service that runs already: only where the settings ask for it, and with what changes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from components.cluster.objects import OWNER_ANNOTATION
from components.manifests import FIELD_MANAGER
from components.release.known_revisions import Known
from components.release.takeover import TakeoverError, changes, foreign, taken_over
from tests.unit.asked import TableCluster, named
from tests.unit.recording import record
from tests.unit.test_graph_existing import existing

SERVICES = "/apis/serving.knative.dev/v1/namespaces/default/services"


def theirs(manager: str = "kubectl-client-side-apply") -> dict[str, Any]:
    """A Service as kubectl made it and Knative completed it."""
    container = {
        "name": "user-container",
        "image": "ghcr.io/acme/hello:1.0.0",
        "readinessProbe": {"successThreshold": 1, "tcpSocket": {"port": 0}},
        "resources": {},
        "env": [{"name": "TARGET", "value": "world"}],
    }
    spec = {"containerConcurrency": 0, "timeoutSeconds": 300, "enableServiceLinks": False, "containers": [container]}
    return {
        "metadata": {
            "name": "hello",
            "namespace": "default",
            "managedFields": [
                {"manager": manager, "fieldsV1": {"f:spec": {}}},
                {"manager": "controller", "fieldsV1": {"f:status": {}}},
            ],
        },
        "spec": {
            "template": {"metadata": {"creationTimestamp": None}, "spec": spec},
            "traffic": [{"latestRevision": True, "percent": 100}],
        },
    }


def wanted(**container: Any) -> dict[str, Any]:
    """What the stack sends for the same."""
    own = {"image": "ghcr.io/acme/hello:1.0.0", "env": [{"name": "TARGET", "value": "world"}], **container}
    template = {"metadata": {"name": "hello-1-0-0-abc", "annotations": {}}, "spec": {"containers": [own]}}
    return {"template": template, "traffic": [{"revisionName": "hello-1-0-0-abc", "percent": 100}]}


def test_an_object_of_this_program_is_not_foreign() -> None:
    assert foreign(theirs()) and not foreign(theirs(FIELD_MANAGER))
    assert taken_over("hello", theirs(FIELD_MANAGER), wanted(), asked_for=False) is None
    assert taken_over("hello", None, wanted(), asked_for=False) is None, "a new service is taken over from nobody"


def test_nothing_is_taken_over_unasked() -> None:
    with pytest.raises(TakeoverError) as raised:
        taken_over("hello", theirs(), wanted(), asked_for=False)
    message = str(raised.value)
    assert "Knative Service default/hello exists" in message and "made by: kubectl-client-side-apply" in message
    assert "controller" not in message, "who writes the status did not make it"
    assert "pulumi config set --path 'knative-releases:services.hello.takeOver' true" in message


def test_another_stacks_service_on_the_stacks_own_cluster_is_never_taken() -> None:
    others = theirs(FIELD_MANAGER)
    others["metadata"]["annotations"] = {OWNER_ANNOTATION: "another"}
    with pytest.raises(TakeoverError, match="another stack made it"):
        taken_over("hello", others, wanted(), asked_for=True, own_cluster=True)
    assert taken_over("hello", others, wanted(), asked_for=True) is None, "elsewhere the word was compared before"


def test_what_knative_filled_in_is_no_change() -> None:
    assert changes(theirs()["spec"], wanted()) == ["traffic: the latest revision 100 % -> hello-1-0-0-abc 100 %"]


def test_every_other_change_is_listed() -> None:
    env = [{"name": "TARGET", "value": "Ada"}, {"name": "COLOUR", "value": "red"}]
    before = copy.deepcopy(theirs()["spec"])
    before["template"]["spec"]["serviceAccountName"] = "hello"
    found = changes(before, wanted(image="ghcr.io/acme/hello:1.1.0", env=env))
    assert found[:-1] == [
        "template containers[0].image: ghcr.io/acme/hello:1.0.0 -> ghcr.io/acme/hello:1.1.0",
        "template containers[0].env.TARGET: world -> Ada",
        "template containers[0].env.COLOUR: nothing -> red",
        "template serviceAccountName: hello -> nothing",
    ]


def hello(**service: Any) -> dict[str, Any]:
    """Settings of one service of one's own."""
    return {"application": "none", "services": {"hello": {"image": "ghcr.io/acme/hello:1.0.0", **service}}}


def test_on_the_programs_own_cluster_it_is_asked_for_too(small: Path) -> None:
    there = Known(objects={"Service": {"hello": theirs()}})
    refused = record(hello(), small, known=there)
    assert isinstance(refused.error, TakeoverError), f"server-side apply adopts it in silence: {refused.error!r}"
    with mock.patch("pulumi.info") as said:
        taken = record(hello(takeOver=True), small, known=there)
    assert taken.error is None, f"the program ended: {taken.error!r}"
    assert taken.one("Service", "hello").inputs["metadata"]["name"] == "hello"
    assert "takes over the Knative Service default/hello" in said.call_args.args[0]


def test_what_was_taken_over_stays_when_the_stack_goes(small: Path) -> None:
    taken = record(hello(takeOver=True, tracks={"canary": {"version": "1.1.0", "percent": 5}}), small)
    assert taken.error is None, f"the program ended: {taken.error!r}"
    assert taken.one("Service", "hello").retain_on_delete, "a service of somebody else is deleted with the stack"
    assert not taken.one("Configuration", "hello-canary").retain_on_delete, "what the stack made stays behind"


def test_a_service_that_is_the_stacks_own_goes_with_it(small: Path) -> None:
    assert not record(hello(), small).one("Service", "hello").retain_on_delete


def test_on_a_cluster_of_somebody_else_no_other_stacks_service_is_taken(small: Path) -> None:
    def there(**metadata: Any) -> TableCluster:
        service = named("Service", "hello")
        service["metadata"].update(metadata)
        return TableCluster({f"{SERVICES}/hello": service})

    unasked = str(existing(small, there(), **hello()).error)
    assert "services.hello.takeOver' true" in unasked, f"the way is not told: {unasked}"
    taken = existing(small, there(), **hello(takeOver=True))
    assert taken.error is None, f"what was asked for is refused: {taken.error!r}"
    another = {"annotations": {"knative-releases/owner": "another"}}
    whose_cluster_it_is = {"managedFields": [{"manager": FIELD_MANAGER}]}
    for metadata in (another, whose_cluster_it_is):
        refused = existing(small, there(**metadata), **hello(takeOver=True))
        assert "Knative Service hello" in str(refused.error), f"two stacks would fight over one service: {metadata}"

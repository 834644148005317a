"""A revision's template stays what the cluster made of it: nothing else is sent under a name that exists there."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime._callbacks import _CallbackServicer
from pulumi.runtime.proto import resource_pb2

from components.release.known_revisions import CONFIGURATION_LABEL, Known, KnownRevisions, asked
from tests.unit.http_server import serving
from tests.unit.recording import record
from tests.unit.test_status_refusals import kubeconfig

NAME = "web-v1-aaaaaaaa"
WANTED = {"metadata": {"name": NAME, "labels": {"mine": "1"}}, "spec": {"containers": [{"image": "web:v1"}]}}
COMPLETED = {"timeoutSeconds": 300, "containers": [{"image": "web:v1", "resources": {"requests": {"cpu": "100m"}}}]}
SPEC = {"template": WANTED, "traffic": [{"revisionName": NAME, "percent": 100}]}
TEMPLATE_THERE = {"metadata": {"name": NAME, "annotations": {"policy": "seen"}}, "spec": COMPLETED}


def service(template: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The Service as the cluster has it."""
    return {"metadata": {"name": "web"}, "spec": {"template": template or TEMPLATE_THERE}}


def revision(configuration: str = "web") -> dict[str, Any]:
    """The revision as the cluster has it."""
    return {"metadata": {"name": NAME, "labels": {CONFIGURATION_LABEL: configuration}}, "spec": COMPLETED}


def test_the_template_of_the_current_name_is_the_clusters_own() -> None:
    known = Known(objects={"Service": {"web": service()}}, revisions={NAME: revision()})
    assert known.template("Service", "web", WANTED) == TEMPLATE_THERE, "Knative refuses what it completed itself"


def test_an_earlier_revisions_template_is_what_it_was_made_from() -> None:
    later = service({"metadata": {"name": "web-v2-bbbbbbbb"}, "spec": {"containers": []}})
    known = Known(objects={"Service": {"web": later}}, revisions={NAME: revision()})
    assert known.template("Service", "web", WANTED) == {**WANTED, "spec": COMPLETED}, (
        "defaults that changed since make another template of it: the revision's name is taken"
    )


@pytest.mark.parametrize(
    "known",
    [
        Known(),
        Known(objects={"Service": {"web": {"metadata": {"name": "web"}, "spec": {}}}}),
        Known(objects={"Configuration": {"web": service()}}),
        Known(revisions={NAME: revision("another")}),
    ],
)
def test_what_the_cluster_does_not_have_is_sent_as_wanted(known: Known) -> None:
    assert known.template("Service", "web", WANTED) is WANTED


def transformed(known: Known, kubeconfig: str | None = "the kubeconfig") -> pulumi.ResourceTransformResult | None:
    """What the engine is handed for the Service."""
    asked_of: list[tuple[str, str]] = []

    def ask(kubeconfig: str, namespace: str) -> Known:
        asked_of.append((kubeconfig, namespace))
        return known

    async def run() -> pulumi.ResourceTransformResult | None:
        revisions = KnownRevisions(pulumi.Output.from_input(kubeconfig) if kubeconfig else None, ask)
        opts = pulumi.ResourceOptions(protect=True, replacement_trigger="null")
        args = pulumi.ResourceTransformArgs(True, "Service", "web", {"kind": "Service", "spec": SPEC}, opts)
        await revisions.of("default")
        result = await revisions.keep("Service", "default", "web", SPEC, None)(args)
        assert asked_of == ([("the kubeconfig", "default")] if kubeconfig else []), "asked once for each namespace"
        return result

    return asyncio.run(run())


def test_a_template_that_stays_is_no_change_to_the_engine_and_the_rest_is() -> None:
    result = transformed(Known(objects={"Service": {"web": service()}}))
    assert result and result.opts.ignore_changes == ["spec.template"], "an update without a change changes something"
    assert result.props == {"kind": "Service", "spec": {**SPEC, "template": TEMPLATE_THERE}}
    assert result.opts.protect and result.opts.replacement_trigger is None, "other options are lost, or are new"


def test_an_earlier_revision_that_comes_back_is_a_change() -> None:
    result = transformed(Known(objects={"Service": {}}, revisions={NAME: revision()}))
    assert result and not result.opts.ignore_changes, "the way back is never applied"
    assert isinstance(result.props, Mapping) and result.props["spec"]["template"]["spec"] == COMPLETED


def test_the_replacement_trigger_goes_back_to_the_engine_as_it_came() -> None:
    known = Known(objects={"Service": {"web": service()}})

    async def sent() -> resource_pb2.TransformResourceOptions:
        revisions = KnownRevisions(pulumi.Output.from_input("the kubeconfig"), lambda *_: known)
        args = pulumi.ResourceTransformArgs(True, "Service", "web", {"spec": SPEC}, pulumi.ResourceOptions())
        result = await revisions.keep("Service", "default", "web", SPEC, pulumi.Output.from_input("word"))(args)
        assert result
        server = object.__new__(_CallbackServicer)  # what it is made with plays no part
        return await server._transformation_resource_options(result.opts, "web")

    trigger = asyncio.run(sent()).replacement_trigger
    assert trigger.WhichOneof("kind") == "string_value" and trigger.string_value == "word", (
        "each update ends in an error of the SDK, or replaces the Service"
    )


@pytest.mark.parametrize("kubeconfig", [None, "the kubeconfig"])
def test_where_nothing_is_known_nothing_is_touched(kubeconfig: str | None) -> None:
    assert transformed(Known(), kubeconfig) is None


def test_every_released_object_is_looked_at(small: Path) -> None:
    tracks = {"canary": {"version": "v1.1.0", "percent": 50}}
    recorded = record({"services": {"frontend": {"tracks": tracks}}}, small)
    released = [r for r in recorded.resources if r.type.startswith("kubernetes:serving.knative.dev/")]
    assert len(released) == 5 and all(r.transforms == 1 for r in released), "one is sent as it was wanted"


def test_a_cluster_is_asked_for_services_configurations_and_revisions() -> None:
    base = "/apis/serving.knative.dev/v1/namespaces/space"
    there = {f"{base}/services": [service()], f"{base}/configurations": [], f"{base}/revisions": [revision()]}

    def answer(path: str, _: dict[str, str]) -> tuple[int, str]:
        return (200, json.dumps({"items": there[path]})) if path in there else (404, "{}")

    with serving(answer) as port:
        found = asked(kubeconfig(f"http://127.0.0.1:{port}"), "space")
        nowhere = asked(kubeconfig(f"http://127.0.0.1:{port}"), "other")
    assert found == Known(objects={"Service": {"web": service()}, "Configuration": {}}, revisions={NAME: revision()}), (
        "it is not known what may be sent"
    )
    assert nowhere == Known(), "a cluster without Knative has no revision"
    assert asked(kubeconfig(f"http://127.0.0.1:{port}"), "silent") == Known(), "the provider tells why it is silent"


def test_a_cluster_is_asked_though_registrations_hold_all_threads_of_the_event_loop() -> None:
    """Seen with 100 services: 32 registrations waited for their transforms, these for the cluster's answer, and the
    question for a thread.
    """
    answered, there = threading.Event(), Known()

    async def program() -> Known:
        loop, known = (
            asyncio.get_running_loop(),
            KnownRevisions(pulumi.Output.from_input("kubeconfig"), lambda *_: there),
        )
        loop.set_default_executor(ThreadPoolExecutor(1))
        registration = loop.run_in_executor(None, answered.wait, 20)
        try:
            return await asyncio.wait_for(known.of("default"), 10)
        finally:
            answered.set()
            await registration

    assert asyncio.run(program()) is there

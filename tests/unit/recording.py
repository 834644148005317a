"""A recording engine: runs the real program under Pulumi's mocks and keeps every registration as it was requested.

It stands in for the engine in one more point: outputs named in `additionalSecretOutputs` come back as secrets, so
that a test sees where a secret value goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import json
import logging
import os
import runpy
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
from pulumi.runtime import mocks
from pulumi.runtime.proto import callback_pb2, resource_pb2

from components.release.known_revisions import Known
from tests.unit import small_release
from tests.unit.registration import SECRET, SIGNATURE, Registration, registration

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "knative-releases"
CREATION = "creation"
"""The word of the cluster that stands."""
CERTIFICATE = "Y2VydGlmaWNhdGU="
KUBECONFIG = json.dumps({"clusters": [{"cluster": {"certificate-authority-data": CERTIFICATE}}]})
"""Kubeconfig that the mocked cluster creation prints."""

ADDRESS = "203.0.113.7"
"""Address that the mocked load balancer gives."""


@dataclass
class Recorded:
    """What one run of the program registered, exported and warned of."""

    resources: list[Registration] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    secret_outputs: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    error: Exception | None = None
    """What ended the program; None when it ran to its end."""

    def keep_outputs(self, found: list[Any]) -> None:
        """Keep the stack outputs: their values, and which of them are secrets."""
        self.outputs, secret = found
        self.secret_outputs = {name for name in secret if secret[name]}

    def __getitem__(self, urn: str) -> Registration:
        return next(r for r in self.resources if r.urn == urn)

    def one(self, kind: str, name: str) -> Registration:
        """The only resource of a kind (last part of the type) and logical name."""
        found = [r for r in self.resources if (r.kind, r.name) == (kind, name)]
        assert len(found) == 1, f"wanted one {kind} {name}, found {len(found)}"
        return found[0]

    def of_kind(self, *kinds: str) -> list[Registration]:
        """All resources of some kinds."""
        return [r for r in self.resources if r.kind in kinds]

    def kubernetes(self) -> list[Registration]:
        """Everything inside the cluster."""
        return [r for r in self.resources if r.is_kubernetes]

    def below(self, component: Registration) -> list[Registration]:
        """The resources whose parents lead to a component."""
        children = [r for r in self.resources if r.parent == component.urn]
        return children + [deeper for child in children for deeper in self.below(child)]

    def waits_for(self, resource: Registration) -> set[str]:
        """URNs of everything that is done before a resource begins, over any number of steps.

        A resource begins after its parent and its provider too: a component's dependencies hold for its children.
        """
        known = {r.urn: r for r in self.resources}
        seen: set[str] = set()
        todo = list(resource.begins_after)
        while todo:
            urn = todo.pop()
            if urn in known and urn not in seen:
                seen.add(urn)
                todo += known[urn].begins_after
        return seen


class RecordingMonitor(mocks.MockMonitor):
    """Mock monitor that keeps the requests themselves, which hold more than what mocks are told."""

    def __init__(self, first_preview: bool, made_for: str | None) -> None:
        super().__init__(_Results(first_preview, made_for))
        self.registrations: list[Registration] = []
        self._lock = threading.Lock()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name in Pulumi's protocol
        """Record the request; answer with its outputs, those that are to be secret as secrets."""
        with asyncio.Runner() as runner:
            runner.get_loop()  # of this worker thread: the mocks would make one and leave it open
            response: resource_pb2.RegisterResourceResponse = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type == "pulumi:pulumi:Stack":
            return response
        with self._lock:
            self.registrations.append(registration(response.urn, request))
        for name in request.additionalSecretOutputs:
            if name in response.object:
                response.object.update({name: {SIGNATURE: SECRET, "value": response.object[name]}})
        return response


class _Results(mocks.Mocks):
    """What commands print: the kubeconfig, or a word that says whose it is; and the address that Services have."""

    def __init__(self, first_preview: bool, made_for: str | None) -> None:
        self._first_preview, self._made_for = first_preview, made_for

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"the program calls {args.token}, which these mocks do not answer")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if args.typ == "kubernetes:core/v1:Service":
            return f"{args.name}-id", {"status": {"loadBalancer": {"ingress": [{"ip": ADDRESS}]}}}
        if args.typ != "command:local:Command":
            return f"{args.name}-id", {}
        if self._first_preview:
            return "", {}
        if args.name.endswith("-made-for"):
            return f"{args.name}-id", {"stdout": self._made_for or args.inputs["environment"]["CLUSTER_IDENTITY"]}
        return f"{args.name}-id", {"stdout": KUBECONFIG if args.name.endswith("-kind") else word(args.name)}


def word(command: str) -> str:
    """What the mocked command of a GeneratedWord prints."""
    return f"printed-by-{command}"


def record(
    configuration: Mapping[str, Any],
    manifests: Path,
    *,
    first_preview: bool = False,
    made_for: str | None = None,
    known: Known | None = None,
    lost: bool = False,
) -> Recorded:
    """Run the program with a stack configuration.

    configuration: keys without the project's prefix; objects as such (Pulumi hands them over as JSON).
    manifests: folder of release manifests, laid out as upstream.
    first_preview: nothing was ever made, so what commands print is not known.
    made_for: what the state says of the existing cluster; None: what the program says now.
    known: what the cluster has of Knative's objects; None: nothing.
    lost: the cluster does not stand.
    An error of the program is kept in `error`.
    """
    knative = {**_of_release(manifests), **configuration.get("knative", {})}
    configuration = {
        "application": str(ROOT / "app"),
        "sources": {},
        **configuration,
        **({"knative": knative} if knative else {}),
    }
    if isinstance(configuration["sources"], Mapping):
        ours = {"manifests": str(manifests), "charts": str(small_release.charts(manifests))}
        configuration["sources"] = {**ours, **configuration["sources"]}
    raw = {
        f"{PROJECT}:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in configuration.items()
    }
    environment = mock.patch.dict(os.environ, {"PULUMI_CONFIG": json.dumps(raw)})
    # What the program places in the project's folder belongs to this run, and not to the checkout.
    with environment, contextlib.chdir(manifests), asyncio.Runner() as runner:
        runner.get_loop()  # the run's own event loop, closed at its end
        # Pulumi keeps a run's state in context variables: a context of its own is a run of its own.
        return contextvars.Context().run(_run, first_preview, made_for, known or Known(), lost)


def _of_release(manifests: Path) -> dict[str, str]:
    """The settings of Knative that ask for the release of Serving in the folder, where it is not the default one."""
    found = [folder.name.removeprefix("knative-v") for folder in manifests.glob("serving/releases/download/*")]
    return {"version": found[0]} if found and found != [small_release.SERVING[1]] else {}


def _run(first_preview: bool, made_for: str | None, known: Known, lost: bool) -> Recorded:
    monitor, recorded = RecordingMonitor(first_preview, made_for), Recorded()
    logger = logging.Logger("engine")
    logger.addHandler(_Kept(recorded.warnings))
    pulumi.runtime.set_mocks(
        monitor.mocks, project=PROJECT, stack="test", preview=first_preview, monitor=monitor, logger=logger
    )
    exported: dict[str, pulumi.Output[Any]] = {}

    def creation_word(_owner: str, _name: str, _port: int, announce: Callable[[], None]) -> str:
        if lost:
            announce()
        return CREATION

    def export(name: str, value: Any) -> None:
        exported[name] = pulumi.Output.from_input(value)

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> pulumi.Output[None]:
        hooks: dict[str, Any] = {"ErrorHook": UnregisteredErrorHook, "ResourceHook": UnregisteredHook}
        with mock.patch("pulumi.export", export), mock.patch.multiple("pulumi", **hooks):
            runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
        secrets: dict[str, pulumi.Output[bool]] = {
            name: pulumi.Output.from_input(_is_secret(o)) for name, o in exported.items()
        }
        return pulumi.Output.all(pulumi.Output.all(**exported), pulumi.Output.all(**secrets)).apply(
            recorded.keep_outputs
        )

    try:
        asking: dict[str, Any] = {
            "components.cluster.kind.creation_word": creation_word,
            "components.release.known_revisions.asked": lambda *_: known,
            "pulumi.runtime.resource._get_callbacks": _callbacks,
            "pulumi.runtime.resource._sync_monitor_supports_transforms": lambda: True,
        }
        with contextlib.ExitStack() as patches:  # neither Docker nor a cluster nor an engine is asked
            for target, answer in asking.items():
                patches.enter_context(mock.patch(target, answer))
            program()
    except Exception as error:
        recorded.error = error
    recorded.resources = monitor.registrations
    return recorded


class _UnregisteredTransforms:
    """Transforms that no engine calls: the mock monitor has no way back into the program."""

    def register_transform(self, transform: pulumi.ResourceTransform) -> callback_pb2.Callback:
        return callback_pb2.Callback(token=getattr(transform, "__qualname__", ""))


async def _callbacks() -> _UnregisteredTransforms:
    return _UnregisteredTransforms()


def _told() -> asyncio.Future[None]:
    done = asyncio.get_event_loop().create_future()
    done.set_result(None)
    return done


class UnregisteredErrorHook(pulumi.ErrorHook):
    """An error hook that no engine is told of: the mock monitor has no way back into the program."""

    def __init__(self, name: str, func: pulumi.ErrorHookFunction) -> None:
        self.name, self.callback, self._registered = name, func, _told()


class UnregisteredHook(pulumi.ResourceHook):
    """The same for a hook of another kind."""

    def __init__(
        self, name: str, func: pulumi.ResourceHookFunction, opts: pulumi.ResourceHookOptions | None = None
    ) -> None:
        self.name, self.callback, self.opts, self._registered = name, func, opts, _told()


async def _is_secret(output: pulumi.Output[Any]) -> bool:
    return await output.is_secret()


class _Kept(logging.Handler):
    """Handler that keeps the messages from the level of warnings on."""

    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self._messages.append(record.getMessage())

"""Keeps a revision's template as the cluster has it: nothing else is ever sent under a name that exists there.

A cluster completes a template when its name is new: with Knative's defaults for resources and security, with what
policies and bindings add. Under the same name Knative accepts only exactly that, and `containers` is a list that is
replaced as a whole. So the template of a known name is the cluster's own (docs/decisions/0017).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pulumi

Object = Mapping[str, Any]
Transform = Callable[[pulumi.ResourceTransformArgs], Coroutine[Any, Any, pulumi.ResourceTransformResult | None]]

CONFIGURATION_LABEL = "serving.knative.dev/configuration"
"""On a revision: the Configuration that made it."""
TEMPLATE = "spec.template"
_AT_ONCE = 4
"""Namespaces that are asked at the same time."""
_PLURALS = {"Service": "services", "Configuration": "configurations"}


@dataclass(frozen=True, kw_only=True)
class Known:
    """What one namespace of a cluster has of Knative's objects, each by its name."""

    objects: Mapping[str, Mapping[str, Object]] = field(default_factory=dict)
    """Services and Configurations, by their kind."""
    revisions: Mapping[str, Object] = field(default_factory=dict)

    def template(self, kind: str, name: str, wanted: Object) -> Object:
        """The template to send for an object: the cluster's own where it knows the revision's name, else the wanted
        one.
        """
        revision = wanted["metadata"]["name"]
        if self.has(kind, name, revision):
            kept: Object = self.objects[kind][name]["spec"]["template"]
            return kept
        found = self.revisions.get(revision)
        # The revision of an earlier update: Knative takes it again if the template is what it was made from.
        if found and found["metadata"].get("labels", {}).get(CONFIGURATION_LABEL) == name:
            return {**wanted, "spec": found["spec"]}
        return wanted

    def has(self, kind: str, name: str, revision: str) -> bool:
        """Whether the object's template has this revision's name now."""
        found = self.objects.get(kind, {}).get(name, {})
        template = found.get("spec", {}).get("template", {})
        return bool(template.get("metadata", {}).get("name") == revision)


class KnownRevisions:
    """What a cluster has before this update, asked once for each namespace, when it is first needed."""

    def __init__(self, kubeconfig: pulumi.Output[str] | None, ask: Callable[[str, str], Known] | None = None) -> None:
        """
        kubeconfig: of the cluster; None, or unknown in a preview: nothing is known.
        ask: gives what a namespace has, by kubeconfig and namespace.
        """
        self._kubeconfig, self._ask = kubeconfig, ask or asked
        # Not the event loop's own threads: each registration holds one of them (32 on two cores, 4 for each of the
        # engine's --parallel) until the engine answers, and the engine asks `keep` first. With as many objects that
        # are registered at once, none would be left for the question that all of them wait for.
        self._threads = ThreadPoolExecutor(_AT_ONCE, "known-revisions")
        self._answers: dict[str, asyncio.Future[Known]] = {}

    async def of(self, namespace: str) -> Known:
        """What a namespace has."""
        if namespace not in self._answers:
            self._answers[namespace] = asyncio.ensure_future(self._answer(namespace))
        return await self._answers[namespace]

    async def _answer(self, namespace: str) -> Known:
        kubeconfig = await self._kubeconfig.future() if self._kubeconfig else None
        if not kubeconfig:
            return Known()
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, kubeconfig, namespace)

    async def service(self, namespace: str, name: str) -> Object | None:
        """The Service of a name; None: there is none, or nothing is known."""
        return (await self.of(namespace)).objects.get("Service", {}).get(name)

    def keep(
        self, kind: str, namespace: str, name: str, spec: Object, creation: pulumi.Output[str] | None
    ) -> Transform:
        """A transform of one object's resource.

        spec: the object's, with the wanted template.
        creation: the resource's replacement trigger.
        """

        async def kept(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
            known, wanted = await self.of(namespace), spec["template"]
            template = known.template(kind, name, wanted)
            if template is wanted:
                return None
            # What the engine hands over has no trigger in it where there is none, and is sent back as one; and the SDK
            # takes a protobuf value here, whose parts it accepts as a mapping, and refuses a text.
            args.opts.replacement_trigger = creation.apply(lambda word: {"string_value": word}) if creation else None
            if known.has(kind, name, wanted["metadata"]["name"]):
                # Compared with the state it is unchanged; where something else changes, the provider sends what the
                # cluster has for a field that is ignored.
                args.opts.ignore_changes = [*(args.opts.ignore_changes or []), TEMPLATE]
            return pulumi.ResourceTransformResult({**args.props, "spec": {**spec, "template": template}}, args.opts)

        return kept


def newer(before: Mapping[str, Any], after: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of two readings of one object the later one; where its spec is the same in both, the one from the cluster. Pure.

    before: as the cluster had it before the update; empty: it had none.
    after: as the engine has it: of this update, or of an earlier one where nothing was to be done.
    """

    def generation(each: Mapping[str, Any]) -> int:
        return int((each.get("metadata") or {}).get("generation") or 0)

    return after if generation(after) > generation(before) else before


def asked(kubeconfig: str, namespace: str) -> Known:
    """Ask a cluster. Where it does not answer, or has no Knative, nothing is known: the provider tells why."""
    import kubernetes  # noqa: PLC0415 - slow to import: meanwhile the engine is busy with other resources
    import urllib3  # noqa: PLC0415

    from components.cluster.client import cluster_client  # noqa: PLC0415
    from components.knative.api import by_name  # noqa: PLC0415

    client = cluster_client(kubeconfig)
    try:
        objects = {kind: by_name(client, namespace, plural) for kind, plural in _PLURALS.items()}
        return Known(objects=objects, revisions=by_name(client, namespace, "revisions"))
    except (kubernetes.client.ApiException, urllib3.exceptions.HTTPError, OSError) as error:
        pulumi.log.debug(f"what the namespace {namespace} has of Knative's objects is not known: {error}")
        return Known()

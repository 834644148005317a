"""A Knative revision: a manifest's template with one version on top, and a name that says what is in it. Pure.

A name is a function of the template, so the same settings give the same revision on any cluster: going back to earlier
settings goes back to the earlier revision, and a traffic block can name a revision that is created in the same update.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NAME_LENGTH = 63
"""Longest revision name: Knative makes a Kubernetes Service and labels of the same name."""
_DIGEST_LENGTH = 8
_DIGEST = "sha256:"


@dataclass(frozen=True, kw_only=True)
class RevisionArgs:
    """One version of a service and how it runs; None leaves a field to the manifest, and then to Knative."""

    template: Mapping[str, Any]
    """The `spec.template` of a Knative Service, without a name."""
    version: str
    """Tag or digest of the image that the requests go to."""
    image: Callable[[str], str] = lambda reference: reference
    """Redirection of an image reference."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables of the serving container; one of the manifest of the same name is replaced."""
    min_scale: int | None = None
    max_scale: int | None = None
    initial_scale: int | None = None
    concurrency: int | None = None
    cpu: str | None = None
    memory: str | None = None
    restart: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


def template(configuration: str, args: RevisionArgs) -> dict[str, Any]:
    """The revision template of a Knative Service or Configuration, with its name."""
    body = _unnamed(args)
    body["metadata"] = {"name": revision_name(configuration, args.version, body), **body["metadata"]}
    return body


def revision_name(configuration: str, version: str, unnamed_template: Mapping[str, Any]) -> str:
    """`<configuration>-<version slug>-<digest of the whole template>`, at most 63 characters.

    Raises ValueError when the configuration's name leaves no room for the rest.
    """
    digest = hashlib.sha256(json.dumps(unnamed_template, sort_keys=True).encode()).hexdigest()[:_DIGEST_LENGTH]
    room = NAME_LENGTH - len(configuration) - len(digest) - 2
    if room < 1:
        raise ValueError(
            f"the configuration name {configuration} leaves no room for a revision name of {NAME_LENGTH} characters"
        )
    return f"{configuration}-{_slug(version)[:room].strip('-') or 'v'}-{digest}"


def images(unnamed_template: Mapping[str, Any]) -> list[str]:
    """The images that a pod of a template starts."""
    spec = unnamed_template["spec"]
    return [each["image"] for each in (*spec.get("initContainers", ()), *spec["containers"])]


def serving_container(containers: list[dict[str, Any]]) -> dict[str, Any]:
    """The container that the requests go to: the one with a port, else the first."""
    return next((each for each in containers if each.get("ports")), containers[0])


def _slug(version: str) -> str:
    short = version.removeprefix(_DIGEST)[:12] if version.startswith(_DIGEST) else version
    return re.sub(r"[^a-z0-9]+", "-", short.lower()).strip("-")


def _unnamed(args: RevisionArgs) -> dict[str, Any]:
    given = copy.deepcopy(dict(args.template))
    spec, container = given["spec"], serving_container(given["spec"]["containers"])
    container["image"] = _versioned(container["image"], args.version)
    for each in (*spec.get("initContainers", ()), *spec["containers"]):
        each["image"] = args.image(each["image"])
    _complete(spec["containers"])
    if env := _environment(container.get("env") or [], args.env):
        container["env"] = env
    limits = {name: value for name, value in (("cpu", args.cpu), ("memory", args.memory)) if value is not None}
    if limits:
        resources = container.get("resources") or {}
        container["resources"] = {
            **resources,
            **{kind: {**resources.get(kind, {}), **limits} for kind in ("requests", "limits")},
        }
    if args.concurrency is not None:
        spec["containerConcurrency"] = args.concurrency
    metadata = given.get("metadata") or {}
    annotations = {**(metadata.get("annotations") or {}), **_annotations(args)}
    labels = {**(metadata.get("labels") or {}), **args.labels}
    kept = {name: value for name, value in (("annotations", annotations), ("labels", labels)) if value}
    return {"metadata": kept, "spec": spec}


def _annotations(args: RevisionArgs) -> dict[str, str]:
    scales = {"min-scale": args.min_scale, "max-scale": args.max_scale, "initial-scale": args.initial_scale}
    found = {f"autoscaling.knative.dev/{name}": str(value) for name, value in scales.items() if value is not None}
    return found if args.restart is None else {**found, "knative-releases/restart": args.restart}


def _versioned(image: str, version: str) -> str:
    repository = image.partition("@")[0]
    folder, slash, name = repository.rpartition("/")
    return f"{folder}{slash}{name.partition(':')[0]}{'@' if version.startswith(_DIGEST) else ':'}{version}"


def _environment(own: list[dict[str, Any]], extra: Mapping[str, str]) -> list[dict[str, Any]]:
    kept = [variable for variable in own if variable["name"] not in extra]
    return [*kept, *({"name": name, "value": extra[name]} for name in sorted(extra))]


def _complete(containers: list[dict[str, Any]]) -> None:
    """Spell out the name and probe that Knative gives the only container: revision names have always been made from
    them.
    """
    if len(containers) == 1:
        containers[0].setdefault("name", "user-container")
        containers[0].setdefault("readinessProbe", {"successThreshold": 1, "tcpSocket": {"port": 0}})

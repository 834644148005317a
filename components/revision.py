"""A Knative revision: its template, and a name that says what is in it. Pure.

A name is a function of the template, so the same settings give the same revision on any cluster: going back to earlier
settings goes back to the earlier revision, and a traffic block can name a revision that is created in the same update.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NAME_LENGTH = 63
"""Longest revision name: Knative makes a Kubernetes Service and labels of the same name."""
_DIGEST_LENGTH = 8


@dataclass(frozen=True, kw_only=True)
class RevisionArgs:
    """One version of a service and how it runs; None leaves a field to Knative's defaults."""

    image: str
    version: str
    """Tag or digest, for the revision's name."""
    env: Sequence[Mapping[str, Any]] = ()
    """Kubernetes `EnvVar` objects, in the order in which they are applied."""
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


def _slug(version: str) -> str:
    short = version.removeprefix("sha256:")[:12] if version.startswith("sha256:") else version
    return re.sub(r"[^a-z0-9]+", "-", short.lower()).strip("-")


def _unnamed(args: RevisionArgs) -> dict[str, Any]:
    scales = {"min-scale": args.min_scale, "max-scale": args.max_scale, "initial-scale": args.initial_scale}
    annotations = {f"autoscaling.knative.dev/{name}": str(value) for name, value in scales.items() if value is not None}
    if args.restart is not None:
        annotations["knative-releases/restart"] = args.restart
    limits = {name: value for name, value in (("cpu", args.cpu), ("memory", args.memory)) if value is not None}
    container: dict[str, Any] = {
        # Knative writes this name and probe into a template once, and then refuses the same revision name without them.
        "name": "user-container",
        "image": args.image,
        "env": [dict(variable) for variable in args.env],
        "readinessProbe": {"successThreshold": 1, "tcpSocket": {"port": 0}},
    }
    if limits:
        container["resources"] = {"requests": limits, "limits": limits}
    spec: dict[str, Any] = {"containers": [container]}
    if args.concurrency is not None:
        spec["containerConcurrency"] = args.concurrency
    metadata = {name: value for name, value in (("annotations", annotations), ("labels", dict(args.labels))) if value}
    return {"metadata": metadata, "spec": spec}

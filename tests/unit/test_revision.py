"""Revision names: a function of the template, unique for each, and always a DNS label."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import settings
from components.released_service import configuration_name
from components.revision import RevisionArgs, revision_name, template
from tests.unit.test_settings_values import SERVICES

LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
VERSIONS = st.from_regex(r"\A([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|sha256:[0-9a-f]{64})\Z")
TRACKS = st.from_regex(r"\A[a-z]([-a-z0-9]{0,50}[a-z0-9])?\Z")
SCALES = st.none() | st.integers(0, 1000)
TEXTS = st.none() | st.text("ab 1é", max_size=8)
ENV = st.dictionaries(st.sampled_from("ABC"), st.text("ab 1é", max_size=5)).map(
    lambda env: [{"name": name, "value": value} for name, value in env.items()]
)
ARGS = st.builds(
    RevisionArgs,
    image=st.sampled_from(["example/a:v1", "example/a:v2"]),
    version=VERSIONS,
    env=ENV,
    min_scale=SCALES,
    max_scale=SCALES,
    initial_scale=SCALES,
    concurrency=SCALES,
    cpu=st.sampled_from([None, "1", "10m"]),
    memory=st.sampled_from([None, "1Gi"]),
    restart=TEXTS,
    labels=st.dictionaries(st.just("l"), st.text("ab1", max_size=3)),
)
CHANGES: dict[str, Any] = {
    "image": "example/other:v9",
    "version": "v9.9.9",
    "env": [{"name": "NEW", "value": "1"}],
    "min_scale": 2001,
    "max_scale": 2002,
    "initial_scale": 2003,
    "concurrency": 2004,
    "cpu": "7",
    "memory": "7Gi",
    "restart": "another word",
    "labels": {"new": "label"},
}


def name_of(args: RevisionArgs, configuration: str = "frontend") -> str:
    """The revision's name in its template."""
    name = template(configuration, args)["metadata"]["name"]
    assert isinstance(name, str)
    return name


@given(service=st.sampled_from(SERVICES), track=st.just("stable") | TRACKS, args=ARGS)
def test_whatever_the_settings_allow_has_a_name_that_is_a_dns_label(
    service: str, track: str, args: RevisionArgs
) -> None:
    tracks = {} if track == "stable" else {track: settings.Track(version=args.version, percent=0)}
    if settings.rules.broken({service: settings.Service(tracks=tracks)}):
        return  # refused: no revision is made
    name = name_of(args, configuration_name(service, track))
    assert len(name) <= 63, f"{name} is longer than a DNS label: Knative refuses it"
    assert LABEL.fullmatch(name), f"{name} is no DNS label"
    assert name.startswith(configuration_name(service, track) + "-"), "Knative wants the configuration's name in front"


@given(ARGS)
def test_the_same_template_has_the_same_name_and_is_built_the_same_twice(args: RevisionArgs) -> None:
    assert template("frontend", args) == template("frontend", dataclasses.replace(args)), (
        "an `up` without a change changes something"
    )


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(RevisionArgs)])
@given(args=ARGS)
def test_any_changed_field_gives_another_name(field: str, args: RevisionArgs) -> None:
    changed = dataclasses.replace(args, **{field: CHANGES[field]})
    assert name_of(changed) != name_of(args), f"Knative refuses a changed {field} under the same revision name"


def test_unset_and_0_are_two_things() -> None:
    unset, zero = (
        RevisionArgs(image="a:v1", version="v1"),
        RevisionArgs(image="a:v1", version="v1", min_scale=0, concurrency=0),
    )
    assert "annotations" not in template("a", unset)["metadata"], "unset says something"
    assert template("a", zero)["metadata"]["annotations"] == {"autoscaling.knative.dev/min-scale": "0"}, (
        "0 was taken for unset"
    )
    assert template("a", zero)["spec"]["containerConcurrency"] == 0, "0 was taken for unset"


def test_the_name_says_the_version_and_the_template_keeps_what_knative_would_add() -> None:
    body = template("frontend", RevisionArgs(image="example/a:v1.1.0", version="v1.1.0", cpu="10m", restart="2"))
    assert re.fullmatch(r"frontend-v1-1-0-[0-9a-f]{8}", body["metadata"]["name"]), (
        "a person cannot tell the version by the name"
    )
    container = body["spec"]["containers"][0]
    assert container["name"] == "user-container", "Knative refuses the second update of the same revision name"
    assert container["readinessProbe"] == {"successThreshold": 1, "tcpSocket": {"port": 0}}, "as above"
    assert container["resources"] == {"requests": {"cpu": "10m"}, "limits": {"cpu": "10m"}}, (
        "the asked CPU is not given"
    )
    assert body["metadata"]["annotations"] == {"knative-releases/restart": "2"}, "a restart makes no new revision"


def test_a_digest_is_shortened_in_the_name() -> None:
    name = name_of(RevisionArgs(image="a@sha256:" + "ab" * 32, version="sha256:" + "ab" * 32))
    assert re.fullmatch(r"frontend-abababababab-[0-9a-f]{8}", name), f"{name} does not say the digest in short"


def test_a_configuration_name_without_room_is_an_error_and_no_cut_name() -> None:
    with pytest.raises(ValueError, match="no room"):
        revision_name("c" * 53, "v1", {})
    assert len(revision_name("c" * 52, "v1", {})) == 63, "the longest name is not used to its end"

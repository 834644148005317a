"""Revision names: a function of the template, unique for each, and always a DNS label."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import settings
from components.release.plan import configuration_name
from components.release.revision import RevisionArgs, images, revision_name, template
from tests.conference import SERVICES

LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
VERSIONS = st.from_regex(r"\A([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|sha256:[0-9a-f]{64})\Z")
TRACKS = st.from_regex(r"\A[a-z]([-a-z0-9]{0,50}[a-z0-9])?\Z")
SCALES = st.none() | st.integers(0, 1000)
TEXTS = st.none() | st.text("ab 1é", max_size=8)
ENV = st.dictionaries(st.sampled_from("ABC"), st.text("ab 1é", max_size=5))
TEMPLATE: dict[str, Any] = {
    "metadata": {"annotations": {"autoscaling.knative.dev/min-scale": "1"}},
    "spec": {"containers": [{"image": "example/a:v0", "env": [{"name": "A", "value": "of the manifest"}]}]},
}
ARGS = st.builds(
    RevisionArgs,
    template=st.just(TEMPLATE),
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
    "template": {"spec": {"containers": [{"image": "example/other"}]}},
    "image": lambda image: f"mirror.example/{image}",
    "version": "v9.9.9",
    "env": {"NEW": "1"},
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


@given(service=st.sampled_from(sorted(SERVICES)), track=st.just("stable") | TRACKS, args=ARGS)
def test_whatever_the_settings_allow_has_a_name_that_is_a_dns_label(
    service: str, track: str, args: RevisionArgs
) -> None:
    tracks = {} if track == "stable" else {track: settings.Track(version=args.version, percent=0)}
    if settings.rules.broken({service: settings.Service(stable=settings.Stable(version="v1"), tracks=tracks)}):
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


def plain(**more: Any) -> RevisionArgs:
    """A version of a service whose manifest is an image and no more."""
    return RevisionArgs(**{"template": {"spec": {"containers": [{"image": "example/a"}]}}, "version": "v1", **more})


def test_unset_and_0_are_two_things() -> None:
    unset, zero = plain(), plain(min_scale=0, concurrency=0)
    assert "annotations" not in template("a", unset)["metadata"], "unset says something"
    assert template("a", zero)["metadata"]["annotations"] == {"autoscaling.knative.dev/min-scale": "0"}, (
        "0 was taken for unset"
    )
    assert template("a", zero)["spec"]["containerConcurrency"] == 0, "0 was taken for unset"


def test_the_name_says_the_version_and_the_template_keeps_what_knative_would_add() -> None:
    body = template("frontend", plain(version="v1.1.0", cpu="10m", restart="2"))
    assert re.fullmatch(r"frontend-v1-1-0-[0-9a-f]{8}", body["metadata"]["name"]), (
        "a person cannot tell the version by the name"
    )
    container = body["spec"]["containers"][0]
    assert container["name"] == "user-container", "the revisions of living stacks get other names"
    assert container["readinessProbe"] == {"successThreshold": 1, "tcpSocket": {"port": 0}}, "as above"
    assert container["resources"] == {"requests": {"cpu": "10m"}, "limits": {"cpu": "10m"}}, (
        "the asked CPU is not given"
    )
    assert body["metadata"]["annotations"] == {"knative-releases/restart": "2"}, "a restart makes no new revision"


@pytest.mark.parametrize(
    ("image", "version", "named"),
    [
        ("example/a:v0", "v1", "example/a:v1"),
        ("registry.example:5000/a", "v1", "registry.example:5000/a:v1"),
        ("registry.example:5000/a:v0", "sha256:ab", "registry.example:5000/a@sha256:ab"),
        ("example/a:v0@sha256:cd", "v1", "example/a:v1"),
        ("a@sha256:cd", "sha256:cd", "a@sha256:cd"),
    ],
)
def test_a_version_takes_the_place_of_the_manifests_tag_or_digest(image: str, version: str, named: str) -> None:
    args = plain(template={"spec": {"containers": [{"image": image}]}}, version=version)
    assert template("a", args)["spec"]["containers"][0]["image"] == named


MANY: dict[str, Any] = {
    "metadata": {"labels": {"team": "a"}, "annotations": {"autoscaling.knative.dev/metric": "rps"}},
    "spec": {
        "serviceAccountName": "builder",
        "timeoutSeconds": 30,
        "volumes": [{"name": "scratch", "emptyDir": {}}],
        "initContainers": [{"name": "prepare", "image": "example/prepare:1"}],
        "containers": [
            {"name": "sidecar", "image": "example/sidecar:1"},
            {
                "name": "serving",
                "image": "example/a:v0",
                "ports": [{"name": "h2c", "containerPort": 9000}],
                "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)"}, {"name": "C", "value": "2"}],
                "resources": {"requests": {"cpu": "1m", "memory": "5Mi"}},
                "livenessProbe": {"grpc": {"port": 9000}},
            },
        ],
    },
}


def test_all_that_a_manifest_says_stays_and_a_version_touches_the_serving_container_alone() -> None:
    args = plain(template=MANY, version="v2", env={"C": "3", "D": "4"}, cpu="2m", min_scale=2)
    before = json.dumps(MANY)
    body = template("a", args)
    assert json.dumps(MANY) == before, "a version changes what the next one is made from"
    serving = {
        **MANY["spec"]["containers"][1],
        "image": "example/a:v2",
        "env": [*MANY["spec"]["containers"][1]["env"][:2], {"name": "C", "value": "3"}, {"name": "D", "value": "4"}],
        "resources": {"requests": {"cpu": "2m", "memory": "5Mi"}, "limits": {"cpu": "2m"}},
    }
    assert body["spec"] == {**MANY["spec"], "containers": [MANY["spec"]["containers"][0], serving]}
    annotations = {"autoscaling.knative.dev/metric": "rps", "autoscaling.knative.dev/min-scale": "2"}
    assert body["metadata"] == {**MANY["metadata"], "annotations": annotations, "name": body["metadata"]["name"]}


def test_every_image_is_redirected() -> None:
    body = template("a", plain(template=MANY, image=lambda image: f"mirror.example/{image}"))
    assert images(body) == [f"mirror.example/example/{each}" for each in ("prepare:1", "sidecar:1", "a:v1")], (
        "an image is pulled from a registry that is not there"
    )


def test_the_revisions_of_the_conference_application_keep_their_names() -> None:
    bodies = [template(name, plain(template=each.template, version="v1.0.0")) for name, each in SERVICES.items()]
    assert dict(zip(SERVICES, (body["metadata"]["name"] for body in bodies), strict=True)) == {
        "agenda-service": "agenda-service-v1-0-0-d28ca612",
        "c4p-service": "c4p-service-v1-0-0-ed5e6571",
        "frontend": "frontend-v1-0-0-5b767cac",
        "notifications-service": "notifications-service-v1-0-0-b1f70886",
    }, "an upgrade starts every pod of a living stack anew"


def test_a_digest_is_shortened_in_the_name() -> None:
    name = name_of(plain(version="sha256:" + "ab" * 32))
    assert re.fullmatch(r"frontend-abababababab-[0-9a-f]{8}", name), f"{name} does not say the digest in short"


def test_a_configuration_name_without_room_is_an_error_and_no_cut_name() -> None:
    with pytest.raises(ValueError, match="no room"):
        revision_name("c" * 53, "v1", {})
    assert len(revision_name("c" * 52, "v1", {})) == 63, "the longest name is not used to its end"

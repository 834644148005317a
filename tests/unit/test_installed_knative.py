"""A Knative that is in the cluster already: whether the releases can run on it, and that it is only looked at."""

from __future__ import annotations

from typing import Any

import pytest

from components.knative.installed import UnfitKnativeError, look, looked_at
from components.knative.serving import FEATURES
from components.sources.knative_versions import as_numbers, refused_change
from tests.unit.asked import CONFIG_MAPS, KNATIVE, TableCluster, knative

FLAGS = {FEATURES[1]: "service a: variable N"}


@pytest.mark.parametrize("version", ["1.10.2", "1.23.0", "v1.15.3", "2.0.0"])
def test_one_that_has_all_is_used_with_its_own_domain(version: str) -> None:
    found = look(TableCluster(knative(version)), None, FLAGS)
    assert (found.version, found.domain) == (version.removeprefix("v"), "example.test"), "URLs that lead nowhere"


def test_a_domain_that_it_serves_may_be_chosen() -> None:
    domains = {"first.test": "", "second.test": ""}
    assert look(TableCluster(knative(domain=domains)), "second.test", FLAGS).domain == "second.test"


def test_features_may_be_written_in_capitals() -> None:
    look(TableCluster(knative(features=dict.fromkeys(FEATURES, "Enabled"))), None, FLAGS)


@pytest.mark.parametrize(
    ("network", "ingress", "kourier"),
    [
        ({"ingress-class": "kourier.ingress.networking.knative.dev"}, "kourier.ingress.networking.knative.dev", True),
        ({"ingress.class": "kourier.ingress.networking.knative.dev"}, "kourier.ingress.networking.knative.dev", True),
        ({"ingress-class": "contour.ingress.networking.knative.dev"}, "contour.ingress.networking.knative.dev", False),
        ({}, "istio.ingress.networking.knative.dev", False),
    ],
)
def test_any_ingress_is_taken(network: dict[str, str], ingress: str, kourier: bool) -> None:
    found = look(TableCluster(knative(network=network)), None, FLAGS)
    assert (found.ingress_class, found.has_kourier) == (ingress, kourier), "the cluster of another team is refused"


@pytest.mark.parametrize(
    ("network", "tags"),
    [
        (
            {"domain-template": "{{.Name}}-{{.Namespace}}.{{.Domain}}", "tag-template": "{{.Name}}.{{.Tag}}"},
            "{{.Name}}.{{.Tag}}",
        ),
        ({"http-protocol": "Redirected", "auto-tls": "Enabled"}, "{{.Tag}}-{{.Name}}"),
    ],
)
def test_other_names_and_encryption_are_no_reason_to_refuse(network: dict[str, str], tags: str) -> None:
    found = look(TableCluster(knative(network=network, domain={"a.test": "", "b.test": ""})), None, FLAGS)
    assert found.tag_template == tags, "the names of the tags' Services are not known"


def test_a_change_for_the_whole_cluster_is_never_advised_as_if_it_were_the_stacks_own() -> None:
    with pytest.raises(UnfitKnativeError) as raised:
        look(TableCluster(knative(features={}, domain={})), None, FLAGS)
    patches = [line for line in str(raised.value).splitlines() if "kubectl" in line]
    assert len(patches) == 2, patches
    for line in patches:
        assert line.index("changes it for every service in the cluster") < line.index("patch configmap"), line


@pytest.mark.parametrize(
    ("lacking", "domain", "told"),
    [
        (knative("1.9.0"), None, "its version is 1.9.0; wanted 1.10.2 or newer"),
        (knative(features={FEATURES[0]: "enabled"}), None, f"features are off: {FEATURES[1]} (service a: variable N)."),
        (knative(features={FEATURES[0]: "allowed", FEATURES[1]: "allowed"}), None, f"off: {FEATURES[0]} (tags"),
        (knative(domain={"_example": "text"}), "mine.test", '{"data": {"mine.test": ""}}'),
        (knative(domain={"special.test": "selector: {a: b}"}), None, "it has no domain"),
        (knative(), "mine.test", "its domain is example.test and not mine.test"),
        ({}, None, "there is no namespace knative-serving"),
    ],
)
def test_what_it_lacks_is_told_with_the_way_out(lacking: dict[str, Any], domain: str | None, told: str) -> None:
    with pytest.raises(UnfitKnativeError) as raised:
        look(TableCluster(lacking), domain, FLAGS)
    assert told in str(raised.value) and "nothing was changed" in str(raised.value)
    assert str(raised.value).count("\n  - ") == 1, "one lack is told as several"


def test_everything_it_lacks_is_told_at_once() -> None:
    lacking = knative("1.9.0", features={}, domain={})
    del lacking["/apis/apps/v1/namespaces/knative-serving/deployments/activator"]
    with pytest.raises(UnfitKnativeError) as raised:
        look(TableCluster(lacking), None, FLAGS)
    for part in ("its activator", "version", "features are off", "no domain"):
        assert part in str(raised.value), f"{part}: told only after the others are mended"


def test_it_is_asked_for_what_is_needed_and_no_more() -> None:
    asked = TableCluster(knative())
    look(asked, None, FLAGS)
    assert KNATIVE in asked.paths and f"{CONFIG_MAPS}/config-features" in asked.paths
    assert set(asked.paths) == set(looked_at()), "a missing right is told late"
    assert not [path for path in asked.paths if "secret" in path], "it reads what is none of its business"


@pytest.mark.parametrize(
    ("installed", "wanted"), [("1.10.2", "1.10.2"), ("1.10.2", "1.10.9"), ("1.10.2", "1.10.0"), ("", "1.10.2")]
)
def test_a_patch_release_is_taken(installed: str, wanted: str) -> None:
    assert refused_change(installed, wanted) is None, "a security release cannot be installed"


@pytest.mark.parametrize(("installed", "wanted"), [("1.10.2", "1.23.0"), ("1.23.0", "1.10.2"), ("1.10.2", "1.11.0")])
def test_another_minor_release_on_a_living_knative_is_refused_by_name(installed: str, wanted: str) -> None:
    message = refused_change(installed, wanted)
    assert message is not None and f"Knative {installed} is installed" in message and wanted in message
    assert f"'knative-releases:knative.version' {installed}" in message, "no way back"


def test_versions_are_compared_as_numbers() -> None:
    assert as_numbers("1.9.3") < as_numbers("1.10.2") < as_numbers("1.10.10"), "1.9 passes for newer than 1.10"
    assert as_numbers("devel") < as_numbers("0.1.0"), "what tells no version passes"

"""A Knative that is in the cluster already: whether the releases can run on it, and that it is only looked at."""

from __future__ import annotations

from typing import Any

import pytest

from components.installed_knative import UnfitKnativeError, look
from components.knative import FEATURES
from components.knative_versions import as_numbers, refused_change
from tests.unit.asked import CONFIG_MAPS, KNATIVE, TableCluster, knative


@pytest.mark.parametrize("version", ["1.10.2", "1.23.0", "v1.15.3", "2.0.0"])
def test_one_that_has_all_is_used_with_its_own_domain(version: str) -> None:
    found = look(TableCluster(knative(version)), None)
    assert (found.version, found.domain) == (version.removeprefix("v"), "example.test"), "URLs that lead nowhere"


def test_a_domain_that_it_serves_may_be_chosen() -> None:
    domains = {"first.test": "", "second.test": ""}
    assert look(TableCluster(knative(domain=domains)), "second.test").domain == "second.test"


def test_features_may_be_written_in_capitals_and_the_class_in_the_older_way() -> None:
    network = {"ingress.class": "kourier.ingress.networking.knative.dev"}
    look(TableCluster(knative(features=dict.fromkeys(FEATURES, "Enabled"), network=network)), None)


@pytest.mark.parametrize(
    ("lacking", "domain", "told"),
    [
        (knative("1.9.0"), None, "its version is 1.9.0; wanted 1.10.2 or newer"),
        (knative(features={FEATURES[0]: "enabled"}), None, f"features are off: {FEATURES[1]}."),
        (knative(features={FEATURES[0]: "disabled", FEATURES[1]: "allowed"}), None, f"off: {', '.join(FEATURES)}."),
        (knative(network={}), None, "its ingress class is none"),
        (knative(network={"ingress-class": "other"}), None, "its ingress class is other"),
        (knative(domain={"_example": "text"}), "mine.test", '{"data": {"mine.test": ""}}'),
        (knative(domain={"special.test": "selector: {a: b}"}), None, "it has no domain"),
        (knative(), "mine.test", "its domain is example.test and not mine.test"),
        ({}, None, "there is no namespace knative-serving"),
    ],
)
def test_what_it_lacks_is_told_with_the_way_out(lacking: dict[str, Any], domain: str | None, told: str) -> None:
    with pytest.raises(UnfitKnativeError) as raised:
        look(TableCluster(lacking), domain)
    assert told in str(raised.value) and "nothing was changed" in str(raised.value)
    assert str(raised.value).count("\n  - ") == 1, "one lack is told as several"


def test_everything_it_lacks_is_told_at_once() -> None:
    lacking = knative("1.9.0", features={}, network={}, domain={})
    del lacking["/apis/apps/v1/namespaces/knative-serving/deployments/activator"]
    with pytest.raises(UnfitKnativeError) as raised:
        look(TableCluster(lacking), None)
    for part in ("its activator", "version", "features are off", "ingress class", "no domain"):
        assert part in str(raised.value), f"{part}: told only after the others are mended"


def test_it_is_asked_for_what_is_needed_and_no_more() -> None:
    asked = TableCluster(knative())
    look(asked, None)
    assert KNATIVE in asked.paths and f"{CONFIG_MAPS}/config-features" in asked.paths
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

"""Services of a team's own beside the conference application: any Knative Service is deployed, given a canary, promoted
and rolled back, and an `up` without a change changes nothing.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from typing import Any

import pytest

from offline import hello
from tests.e2e.environment import Environment, eventually
from tests.e2e.own_services import FIRST, NEEDS, SECOND, SHAPES, page, write
from tests.e2e.traffic import Client, Prober, assert_share

ASKED = [name for name in SHAPES if name != "own-local"]
"""Those that can be reached from outside."""
WAIT = "5m"
"""Ten services start their pods at once."""


@pytest.fixture(scope="module")
def services(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The settings of the services, at their first version; the stack has them, and what they need."""
    environment.configure()
    environment.up()
    environment.kubectl("apply", "-f", "-", stdin=NEEDS)
    settings = write(tmp_path_factory.mktemp("manifests"))
    digests = {version: digest(environment, version) for version in (FIRST, SECOND)}
    settings["own-digest"]["stable"] = {"version": digests[FIRST]}
    settings["own-digest"]["next"] = digests[SECOND]
    environment.configure(readyWithin=WAIT, services=without_next(settings))
    environment.up()
    return settings


def digest(environment: Environment, version: str) -> str:
    """The digest of the image's version; the node knows the image by it from now on."""
    image = f"{hello.NAME}:{version}"
    ctr = ("docker", "exec", environment.node, "ctr", "--namespace=k8s.io", "images")
    (line,) = (each for each in environment.run(*ctr, "ls").splitlines() if each.startswith(f"{image} "))
    found = re.search(r"sha256:[0-9a-f]{64}", line)
    assert found, line
    environment.run(*ctr, "tag", "--force", image, f"{hello.NAME}@{found[0]}")
    return found[0]


def without_next(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings as the program knows them."""
    return {name: {key: value for key, value in each.items() if key != "next"} for name, each in settings.items()}


def with_canary(settings: dict[str, Any], percent: int) -> dict[str, Any]:
    """Each service with its second version as canary."""
    return {
        name: {**each, "tracks": {"canary": {"version": settings[name].get("next", SECOND), "percent": percent}}}
        for name, each in without_next(settings).items()
    }


def promoted(settings: dict[str, Any]) -> dict[str, Any]:
    """Each service at its second version."""
    later = copy.deepcopy(without_next(settings))
    for name, each in later.items():
        each["stable"] = {"version": settings[name].get("next", SECOND)}
    return later


def revisions(environment: Environment) -> dict[str, str]:
    """The stable revision of each service, as the outputs say."""
    found = environment.outputs()["services"]
    return {name: found[name]["tracks"]["stable"]["revision"] for name in SHAPES}


def host(name: str) -> str:
    """What a client asks for."""
    return SHAPES[name].host or name


@pytest.fixture(scope="module")
def first(environment: Environment, services: dict[str, Any]) -> dict[str, str]:
    """The stable revisions of the first version."""
    assert services, "nothing is deployed"
    return revisions(environment)


@pytest.mark.usefixtures("services")
@pytest.mark.parametrize("name", SHAPES)
def test_what_its_manifest_says_is_there(client: Client, name: str) -> None:
    shown = SHAPES[name].shown(client, host(name))
    assert name not in ASKED or f"Version: {FIRST}" in shown


@pytest.mark.usefixtures("services")
def test_a_second_up_and_a_refresh_change_nothing(environment: Environment) -> None:
    environment.up("--expect-no-changes")
    environment.pulumi("refresh", "--yes", "--skip-preview")
    environment.up("--expect-no-changes")


def test_each_is_given_a_canary_promoted_and_rolled_back(
    environment: Environment, services: dict[str, Any], first: dict[str, str], client: Client
) -> None:
    with Prober(client, "own-sidecar", path="/") as plain, Prober(client, "own-space.shop", path="/") as spaced:
        environment.configure(readyWithin=WAIT, services=with_canary(services, 50))
        environment.up()
        for name in ASKED:
            eventually(60, f"{name} answers", lambda name=name: SHAPES[name].shown(client, host(name)))
        answers = Counter(f"Version: {SECOND}" in page(client, "own-scaling") for _ in range(120))
        assert_share({str(each): number for each, number in answers.items()}, "True", 50)
        assert set(revisions(environment).values()) == set(first.values()), "a canary changes stable"
        environment.configure(readyWithin=WAIT, services=promoted(services))
        environment.up()
        for name in ASKED:
            assert f"Version: {SECOND}" in SHAPES[name].shown(client, host(name)), f"{name} is not promoted"
        environment.up("--expect-no-changes")
        environment.configure(readyWithin=WAIT, services=without_next(services))
        environment.up()
        assert revisions(environment) == first, "the way back is another revision"
        for name in ASKED:
            assert f"Version: {FIRST}" in SHAPES[name].shown(client, host(name)), f"{name} is not rolled back"
    for prober in (plain, spaced):
        prober.assert_nothing_lost()


@pytest.mark.usefixtures("services")
def test_what_leaves_the_settings_leaves_the_cluster(environment: Environment) -> None:
    environment.configure()
    environment.up()
    left = {each["metadata"]["name"] for each in environment.get("ksvc", "--all-namespaces")}
    assert not left & set(SHAPES) and "frontend" in left, f"left: {left}"

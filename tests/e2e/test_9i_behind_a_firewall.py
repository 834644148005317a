"""A company's network: everything runs behind an HTTP proxy, which alone leads to a mirror with a login and with a
certificate of the company's own authority. The proxy's log says who asked for what. Needs openssl.
"""

from __future__ import annotations

import base64
import dataclasses
import ipaddress
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from offline import conference
from offline.cache import root
from tests.conference import REPOSITORIES as PUBLISHED
from tests.e2e.environment import SOURCES, Environment
from tests.e2e.registry import Registry, registry
from tests.e2e.rollouts import run
from tests.e2e.traffic import Client, assert_share, observed
from tests.forward_proxy import ForwardProxy, forward_proxy
from toolchain.state import direct

pytestmark = pytest.mark.long

NOTIFICATIONS = "notifications-service"
CANARY = {NOTIFICATIONS: {"tracks": {"canary": {"version": "v1.1.0"}}}}
HOST = "mirror.corp.example"
LOGIN = "reader:corp-password"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy")


@dataclasses.dataclass(frozen=True)
class Company:
    """The network, and an environment in it."""

    environment: Environment
    proxy: ForwardProxy
    mirror: Registry
    settings: dict[str, Any]
    """Of the stack: what the page docs/behind-a-firewall.md says."""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Docker's bridge is where the node reaches the proxy; the mirror listens on loopback alone."""
    folder = tmp_path_factory.mktemp("company")
    name = f"{os.environ.get('E2E_NAME', 'e2e')}-company"
    environment = Environment(name, root() / name)
    subnet = environment.run("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}")
    bridge = str(next(ipaddress.ip_network(subnet.strip()).hosts()))
    repository = conference.REPOSITORIES[NOTIFICATIONS]
    images = {f"hub/{repository}:v{version}": f"dev.local/{repository}:v{version}" for version in conference.VERSIONS}
    (folder / "registries").mkdir()
    login = base64.b64encode(LOGIN.encode()).decode()
    (folder / "registries" / "config.json").write_text(json.dumps({"auths": {HOST: {"auth": login}}}))
    with (
        registry(HOST, LOGIN, images, conference.archive(), folder) as mirror,
        forward_proxy({HOST: mirror.port}, listen=bridge) as proxy,
    ):
        environment.clear()
        kept = {name: value for name, value in environment.env.items() if name not in VARIABLES}
        proxied = {"HTTP_PROXY": proxy.url, "https_proxy": proxy.url}
        environment.env = {**kept, **proxied, **direct(proxied)}  # as an activated shell has it
        yield Company(environment, proxy, mirror, _settings(folder, proxy))
        environment.clear()
        environment.close()


def _settings(folder: Path, proxy: ForwardProxy) -> dict[str, Any]:
    sources = yaml.safe_load(SOURCES.read_text())
    sources["images"][PUBLISHED[NOTIFICATIONS]] = f"{HOST}/hub/{conference.REPOSITORIES[NOTIFICATIONS]}"
    network = {
        "proxy": {"http": proxy.url, "https": proxy.url},
        "ca": str(folder / "ca.pem"),
        "registries": str(folder / "registries"),
    }
    return {"sources": sources, "network": network}


def test_versions_come_through_the_proxy_from_the_mirror_and_nothing_else_does(company: Company) -> None:
    environment = company.environment
    environment.configure(CANARY, canaryPercent=50, **company.settings)
    environment.up()
    assert_share(observed(Client(environment.port), NOTIFICATIONS, 200), "1.1.0", 50)
    agents = {agent.partition("/")[0] for _, path, agent in company.mirror.asked if "/manifests/" in path}
    assert "containerd" in agents, f"the node did not pull from the mirror: {agents}"
    assert len(agents) > 1, f"Knative's controller did not look up a digest at the mirror: {agents}"
    revisions = environment.get("revisions")
    digests = [each["status"]["containerStatuses"][0].get("imageDigest", "") for each in revisions]
    assert len([digest for digest in digests if digest.startswith(f"{HOST}/hub/")]) == 2, digests
    assert set(company.proxy.asked) == {f"{HOST}:443"}, "the cluster, or the engine, was asked through the proxy"


def test_status_and_a_rollout_ask_the_cluster_directly(company: Company) -> None:
    environment = company.environment
    environment.configure({}, **company.settings)
    environment.up()
    company.proxy.asked.clear()
    status = json.loads(environment.run(sys.executable, "-m", "status", "--json", "--stack", environment.name))
    assert status, "no status"
    done = run(environment, "start", "--to", "v1.1.0", "--steps", "50,100", "--interval", "6s", "--source", "probes")
    assert done.code == 0, done.errors
    assert set(company.proxy.asked) <= {f"{HOST}:443"}, company.proxy.asked


def test_the_mirrors_login_is_no_plain_text(company: Company) -> None:
    state = company.environment.pulumi("stack", "export")
    encoded = base64.b64encode(LOGIN.encode()).decode()
    config = (Path(company.settings["network"]["registries"]) / "config.json").read_bytes()
    for text in (LOGIN, encoded, base64.b64encode(config).decode()):
        assert text not in state

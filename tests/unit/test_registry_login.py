"""The user's own logins: as Docker and Helm keep them, sent where they belong and nowhere else."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from components.sources.charts import ChartSource
from components.sources.registry_login import Login, login
from components.sources.release_manifests import SourceError
from tests.upstream import Upstream, packed, upstream

VERSION = "22.1.99"
ADA = Login("ada", "s3cret:word")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, a project's folder, a cache and a PATH of the test's own."""
    (tmp_path / "project").mkdir()
    (tmp_path / "bin").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    for name in ("XDG_CACHE_HOME", "DOCKER_CONFIG", "HELM_REGISTRY_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Upstream]:
    """A registry whose charts are Ada's alone."""
    chart = tmp_path / "kafka"
    chart.mkdir()
    (chart / "Chart.yaml").write_text("name: kafka\nversion: 0.0.0\n")
    with upstream() as running:
        running.push("charts/kafka", VERSION, packed(chart, "kafka", VERSION))
        running.user = (ADA.user, ADA.password)
        yield running


def write(home: Path, config: Mapping[str, Any], file: str = ".docker/config.json") -> None:
    """Write Docker's configuration, or Helm's."""
    (home / file).parent.mkdir(parents=True, exist_ok=True)
    (home / file).write_text(json.dumps(config))


def auth(host: str, who: Login = ADA) -> dict[str, Any]:
    """What a login leaves in the configuration."""
    return {"auths": {host: {"auth": base64.b64encode(f"{who.user}:{who.password}".encode()).decode()}}}


def helper(home: Path, script: str) -> None:
    """Install the credential helper named test."""
    file = home / "bin" / "docker-credential-test"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


@pytest.mark.parametrize("file", [".docker/config.json", ".config/helm/registry/config.json"])
def test_a_login_opens_a_private_registry(private: Upstream, home: Path, file: str) -> None:
    write(home, auth(private.host), file)
    assert ChartSource(f"oci://{private.host}/charts").path("kafka", VERSION)


def test_without_a_login_the_command_for_it_is_told(private: Upstream) -> None:
    with pytest.raises(SourceError, match=f"401 Unauthorized\n.*docker login {private.host}"):
        ChartSource(f"oci://{private.host}/charts").path("kafka", VERSION)


def test_a_helper_is_asked_for_the_host(private: Upstream, home: Path) -> None:
    answer = json.dumps({"Username": ADA.user, "Secret": ADA.password})
    helper(home, f"read host; test \"$1 $host\" = 'get {private.host}' && echo '{answer}'")
    write(home, {"credHelpers": {private.host: "test"}})
    assert ChartSource(f"oci://{private.host}/charts").path("kafka", VERSION)


@pytest.mark.parametrize("script", ["exit 1", "echo no", "echo '{}'", None])
def test_a_helper_that_knows_nothing_or_is_missing_leaves_an_open_registry_open(
    private: Upstream, home: Path, script: str | None
) -> None:
    private.user = None
    if script:
        helper(home, script)
    write(home, {"credsStore": "test"})
    assert ChartSource(f"oci://{private.host}/charts").path("kafka", VERSION), "a helper of another system stops all"


@pytest.mark.parametrize("host", ["docker.io", "index.docker.io", "registry-1.docker.io"])
def test_docker_hub_has_one_login_under_all_its_names(home: Path, host: str) -> None:
    write(home, auth("https://index.docker.io/v1/"))
    assert login(host) == ADA
    assert login("ghcr.io") is None, "it is sent to somebody else"


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"auths": []}', '{"auths": {"a.example": {"auth": "?"}}}'])
def test_a_configuration_that_cannot_be_read_is_no_login(home: Path, text: str) -> None:
    write(home, {})
    (home / ".docker/config.json").write_text(text)
    assert login("a.example") is None


def test_a_password_is_not_shown() -> None:
    assert ADA.password not in repr(ADA)

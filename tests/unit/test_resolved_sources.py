"""What comes from elsewhere is read first: all that is missing is told at once, and no resource is registered."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.knative.serving import ACTIVATOR, configuration
from components.manifests import GATEWAY
from components.sources.expected import OBJECTS
from tests.unit.recording import record
from tests.upstream import SILENT, Upstream, packed, upstream

VERSIONS = {"kafka": "22.1.99", "postgresql": "12.5.99", "redis": "17.11.99"}
"""Of charts whose published sha256 the program does not know."""
CHARTS = {name: {"chartVersion": version} for name, version in VERSIONS.items()}


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """A registry with three charts, on the loopback interface."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("components.sources.download.PAUSES", (0, 0))
    with upstream() as running:
        for name, version in VERSIONS.items():
            (tmp_path / name).mkdir()
            (tmp_path / name / "Chart.yaml").write_text(f"name: {name}\nversion: 0.0.0\n")
            running.push(f"charts/{name}", version, packed(tmp_path / name, name, version))
        yield running


def test_everything_missing_is_told_at_once_and_nothing_is_registered(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    sources = {"charts": str(tmp_path / "gone"), "archives": [str(tmp_path / "gone.tar")]}
    recorded = record({"sources": sources}, tmp_path)
    message = str(recorded.error)
    wanted = ("serving-crds.yaml", "serving-core.yaml", "kourier.yaml", "no chart kafka", "no chart redis", "gone.tar")
    assert [part for part in wanted if part not in message] == [], f"a person repairs one after the other: {message}"
    assert not recorded.resources, "something was made before the sources were read"
    for way in ("sources.manifests", "sources.charts"):
        assert message.count(way) == 1, f"what helps is said for each file again: {message}"


def test_an_update_asks_nobody_outside(small: Path, outside: Upstream) -> None:
    settings = {"sources": {"charts": f"oci://{outside.host}/charts"}, **CHARTS}
    first = record(settings, small)
    assert first.error is None and outside.asked, "the charts are not fetched from there"
    asked = list(outside.asked)
    outside.refuse()
    second = record({**settings, "canaryPercent": 0}, small)
    assert second.error is None, f"an abort waits for a registry: {second.error}"
    assert outside.asked == asked
    for name in VERSIONS:
        inputs = second.one("Release", name).inputs
        assert inputs["chart"] == first.one("Release", name).inputs["chart"], "a change where nothing was changed"
        assert (small / inputs["chart"]).is_file() and "repositoryOpts" not in inputs, (
            "the engine's provider asks outside at each preview and update"
        )


def test_a_long_wait_is_told_and_ends_with_all_that_failed(
    small: Path, outside: Upstream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("components.sources.resolved.FIRST_WORD_SECONDS", 0.2)
    monkeypatch.setattr("components.sources.download.SILENCE_SECONDS", 0.3)
    outside.fault = SILENT
    recorded = record({"sources": {"charts": f"oci://{outside.host}/charts"}, **CHARTS}, small)
    assert "still waiting for chart kafka, chart postgresql, chart redis" in capsys.readouterr().out
    assert str(recorded.error).count("0.3 s of silence") == 3, recorded.error


def test_a_limit_is_told_for_each_chart_and_what_helps_once(small: Path, outside: Upstream) -> None:
    outside.fault = 429
    recorded = record({"sources": {"charts": f"oci://{outside.host}/charts"}, **CHARTS}, small)
    message = str(recorded.error)
    assert message.count("429 Too Many Requests") == 3 and message.count("docker login") == 1, message
    assert message.count("sources.charts") == 1 and not recorded.resources


def test_a_release_without_what_the_program_changes_is_refused_before_anything_is_made(
    small: Path, tmp_path: Path
) -> None:
    shutil.copytree(small, tmp_path, dirs_exist_ok=True)
    (core,) = tmp_path.rglob("serving-core.yaml")
    core.write_text(core.read_text().replace("name: config-network", "name: config-networking"))
    (kourier,) = tmp_path.rglob("kourier.yaml")
    kourier.write_text(kourier.read_text().replace("name: 3scale-kourier-gateway", "name: gateway"))
    recorded = record({}, tmp_path)
    for lacking in ("ConfigMap knative-serving config-network", "Deployment kourier-system 3scale-kourier-gateway"):
        assert lacking in str(recorded.error), f"it would install well and not work: {recorded.error}"
    assert not recorded.resources


def test_every_config_map_that_is_set_is_looked_for() -> None:
    looked_for = {name for kind, _, name in OBJECTS["serving-core.yaml"] if kind == "ConfigMap"}
    assert looked_for == set(configuration("ingress", "example.com")), "one that is missing is not told"


def test_every_deployment_whose_pods_are_set_is_looked_for() -> None:
    looked_for = {key for keys in OBJECTS.values() for key in keys if key[0] == "Deployment"}
    assert {("Deployment", "knative-serving", ACTIVATOR), ("Deployment", "kourier-system", GATEWAY)} <= looked_for, (
        "its replicas are a KeyError"
    )

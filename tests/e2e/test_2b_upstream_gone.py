"""After the first `up` nobody outside is asked: with every host that manifests and charts come from failing, in each
way that hosts fail, everything that a person does to a release works. Not seen here: registries of images, which the
cluster itself asks, for a version's tag and for its image.
"""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.sources.charts import ChartSource
from components.sources.release_manifests import ManifestSource
from settings import Settings, Sources
from tests.e2e.environment import SOURCES, Environment
from tests.e2e.rollouts import HEALTHY, SERVICE, run
from tests.e2e.traffic import Client, Prober, assert_share, observed
from tests.upstream import SILENT, Upstream, packed, upstream

CANARY = {SERVICE: {"tracks": {"canary": {"version": "v1.1.0"}}}}
PROMOTED = {SERVICE: {"stable": {"version": "v1.1.0"}}}
# Of which the program does not know what was published: what is served here is not that.
KNATIVE, KOURIER = "1.10.9", "1.10.9"
CHARTS = {"kafka": "22.1.99", "postgresql": "12.5.99", "redis": "17.11.99"}
REFUSED = "refused"


@pytest.fixture(scope="module")
def sources() -> Sources:
    """The sources of this checkout."""
    return Sources.model_validate(yaml.safe_load(SOURCES.read_text()) if SOURCES.exists() else {})


@pytest.fixture(scope="module")
def outside(sources: Sources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """A mirror of the manifests, and the charts in a repository and in a registry."""
    defaults, folder = Settings(), tmp_path_factory.mktemp("mirror")
    manifests = ManifestSource(sources.manifests)
    with upstream() as running, contextlib.chdir(folder):
        for repository, version, served, names in (
            ("serving", defaults.knative.version, KNATIVE, ("serving-crds.yaml", "serving-core.yaml")),
            ("net-kourier", defaults.knative.kourier_version, KOURIER, ("kourier.yaml",)),
        ):
            for name in names:
                objects = manifests.load(repository, version, name)
                path = f"/knative/{repository}/releases/download/knative-v{served}/{name}"
                running.files[path] = yaml.safe_dump_all(objects).encode()
        for name, version in CHARTS.items():
            path = ChartSource(sources.charts).path(name, getattr(defaults, name).chart_version)
            archive = packed(unpacked(folder / path, name), name, version)
            running.publish("/charts", name, version, archive)
            running.push(f"charts/{name}", version, archive)
        yield running


def unpacked(chart: Path, name: str) -> Path:
    """A chart's folder."""
    if chart.is_dir():
        return chart
    with tarfile.open(fileobj=io.BytesIO(chart.read_bytes()), mode="r:gz") as archive:
        archive.extractall(chart.with_suffix(""), filter="data")
    return chart.with_suffix("") / name


@dataclass(frozen=True)
class Mirrored:
    """The environment, with everything that the engine needs from the mirror."""

    environment: Environment
    outside: Upstream
    sources: Sources

    def configure(self, services: Mapping[str, Any], percent: int = 0, registry: bool = False) -> None:
        """Write the settings. registry: the charts are in the registry instead of the repository."""
        mirror = {
            "manifests": f"{self.outside.url}/knative",
            "charts": f"oci://{self.outside.host}/charts" if registry else f"{self.outside.url}/charts",
        }
        self.environment.configure(
            services,
            canaryPercent=percent,
            sources={**self.sources.model_dump(mode="json"), **mirror},
            knative={"version": KNATIVE, "kourierVersion": KOURIER},
            **{name: {"chartVersion": version} for name, version in CHARTS.items()},
        )

    @contextlib.contextmanager
    def failing(self, how: str | int) -> Iterator[None]:
        """Everything outside fails, and nobody asks it."""
        asked = list(self.outside.asked)
        if how == REFUSED:
            self.outside.refuse()
        else:
            self.outside.fault = how
        try:
            yield
            assert self.outside.asked == asked, f"asked although it is there: {self.outside.asked[len(asked) :]}"
        finally:
            self.outside.fault = None
            if how == REFUSED:
                self.outside.listen()


@pytest.fixture(scope="module")
def mirrored(
    environment: Environment, outside: Upstream, sources: Sources, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mirrored]:
    """Up from nothing, with a cache of its own."""
    environment.env["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    mirrored = Mirrored(environment, outside, sources)
    mirrored.configure(CANARY)
    environment.up()
    yield mirrored
    del environment.env["XDG_CACHE_HOME"]


def test_each_file_is_fetched_once(mirrored: Mirrored) -> None:
    served = {path for path in mirrored.outside.files if not path.endswith("/charts/index.yaml")}
    found = [path for path in mirrored.outside.asked if path in served]
    assert sorted(found) == sorted(served), "one is fetched from elsewhere, or again"


def test_the_state_names_nothing_of_the_machine(mirrored: Mirrored) -> None:
    charts = {r["inputs"]["chart"] for r in mirrored.environment.resources() if r["type"].endswith(":Release")}
    assert len(charts) == len(CHARTS) and all(chart.startswith(".local/charts/") for chart in charts), charts


def test_the_same_charts_from_a_registry_change_nothing(mirrored: Mirrored) -> None:
    mirrored.configure(CANARY, registry=True)
    mirrored.environment.up("--expect-no-changes")
    assert any(path.startswith("/v2/") for path in mirrored.outside.asked), "the registry was not asked"


@pytest.mark.parametrize("how", [REFUSED, SILENT, 429])
def test_with_upstream_gone_a_canary_flips_and_is_aborted(mirrored: Mirrored, client: Client, how: str | int) -> None:
    with mirrored.failing(how):
        mirrored.environment.up("--expect-no-changes")
        for percent in (50, 0):
            mirrored.configure(CANARY, percent)
            mirrored.environment.up()
            assert_share(observed(client, SERVICE, 300), "1.1.0", percent)


def test_with_upstream_gone_a_version_is_promoted_and_taken_back(mirrored: Mirrored, client: Client) -> None:
    with mirrored.failing(SILENT), Prober(client, SERVICE) as prober:
        for services, version in ((PROMOTED, "1.1.0"), ({}, "1.0.0")):
            mirrored.configure(services)
            mirrored.environment.up()
            assert observed(client, SERVICE, 50) == {version: 50}
    prober.assert_nothing_lost()


def test_with_upstream_gone_a_rollout_finds_its_way_back(mirrored: Mirrored, client: Client) -> None:
    mirrored.configure({SERVICE: {"stable": {"version": "v1.0.0"}}})
    with mirrored.failing(429), Prober(client, SERVICE):
        fault = ("--set", "env.FAULT_ERROR_PERCENT=5")
        done = run(mirrored.environment, "start", *HEALTHY, "--steps", "50,100", *fault)
    assert (done.code, done.shares) == (3, [50, -1]), done
    assert observed(client, SERVICE, 50) == {"1.0.0": 50}


def test_with_upstream_gone_refresh_and_destroy_work(mirrored: Mirrored) -> None:
    with mirrored.failing(REFUSED):
        mirrored.environment.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
        mirrored.environment.destroy()
    assert mirrored.environment.resources() == [] and mirrored.environment.containers() == []

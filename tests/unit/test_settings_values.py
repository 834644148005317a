"""What a sound configuration says: defaults, numbers and texts, sources, secrets, warnings."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pydantic
import pytest
import yaml

import settings
from settings.problems import SECRETS
from tests.unit.recording import PROJECT, ROOT, record

SERVICES = ("frontend", "c4p-service", "agenda-service", "notifications-service")


def load(configuration: Mapping[str, Any], directory: Path = ROOT) -> settings.Settings:
    """The settings of a configuration whose objects are JSON, as Pulumi hands them over."""
    raw = {key: value if isinstance(value, str) else json.dumps(value) for key, value in configuration.items()}
    return settings.load(raw, directory)


def test_an_empty_configuration_is_the_tutorials_environment() -> None:
    found = load({})
    assert (found.cluster.provider, found.cluster.name, found.cluster.http_port) == ("kind", "dev", 80), (
        "the tutorial's cluster is kind, named dev, on port 80"
    )
    assert (found.knative.version, found.knative.kourier_version) == ("1.10.2", "1.10.0"), (
        "the tutorial's releases changed"
    )
    assert found.knative.domain == "127.0.0.1.sslip.io", "the tutorial's URLs would not work"
    charts = (found.kafka.chart_version, found.postgresql.chart_version, found.redis.chart_version)
    assert charts == ("22.1.5", "12.5.7", "17.11.3"), "the tutorial's charts changed"
    assert (found.kafka.topic, found.kafka.size, found.postgresql.size, found.redis.size) == (
        "events-topic",
        *["1Gi"] * 3,
    ), "the tutorial's topic or volumes changed"
    assert found.sources.manifests == "https://github.com/knative", "manifests are not upstream's by default"
    assert found.sources.charts == "oci://registry-1.docker.io/bitnamicharts", "charts are not upstream's by default"
    assert not found.sources.images and not found.sources.archives, "something is redirected without being asked for"
    assert set(found.services) == set(SERVICES), "a service that is left out is not deployed"
    assert all(s.stable.version == "v1.0.0" and not s.tracks for s in found.services.values()), "a default is no v1.0.0"


def test_an_existing_cluster_has_the_released_profile_and_a_domain_of_its_own() -> None:
    found = load({"cluster": {"provider": "existing", "context": "mine"}}).knative
    assert (found.profile, found.domain) == ("released", None), "requests for two cores, or URLs of this machine"
    given = {"profile": "small", "domain": "mine.test"}
    assert load({"cluster": {"provider": "existing", "context": "mine"}, "knative": given}).knative.profile == "small"


@pytest.mark.parametrize(("version", "kourier"), [("1.10.2", "1.10.0"), ("1.23.0", "1.23.0"), ("1.15.7", "1.15.0")])
def test_kourier_is_of_knatives_minor_release(version: str, kourier: str) -> None:
    assert load({"knative": {"version": version}}).knative.kourier_version == kourier, "two releases that do not fit"
    both = {"version": version, "kourierVersion": "1.2.3"}
    assert load({"knative": both}).knative.kourier_version == "1.2.3", "a given version is not taken"


def test_the_committed_stack_says_what_the_architecture_promises() -> None:
    # The committed file: pulumi writes a salt, the sources and every flip into the one of the working tree.
    committed = ["git", "-C", str(ROOT), "show", "HEAD:Pulumi.dev.yaml"]
    file = yaml.safe_load(subprocess.run(committed, capture_output=True, text=True, check=True).stdout)
    lines = file["config"]
    found = load({key.removeprefix(f"{PROJECT}:"): value for key, value in lines.items()})
    canary = found.services["notifications-service"].tracks["canary"]
    assert (canary.version, canary.percent, canary.tag) == ("v1.1.0", 0, None), "the canary is not at rest"
    frontend = found.services["frontend"]
    assert (frontend.stable.tag, frontend.tracks["version110"].tag) == ("current", "version110"), (
        "the A/B tags are missing"
    )
    assert frontend.tracks["version110"].env == {"FEATURE_DEBUG_ENABLED": "true"}, "the debug tab is off"
    assert "encryptionsalt" not in file and "secure" not in str(lines), "a secret or its salt is committed"


def test_the_canary_takes_canary_percent_and_other_tracks_take_none() -> None:
    tracks = {"canary": {"version": "v1.1.0"}, "other": {"version": "v1.1.0", "tag": "other"}}
    found = load({"canaryPercent": "50", "services": {"frontend": {"tracks": tracks}}}).services["frontend"]
    assert (found.tracks["canary"].percent, found.tracks["other"].percent) == (50, 0), "a default percent went astray"


@pytest.mark.parametrize("wait", ["10s", "90s", "600s", "1m", "10m"])
def test_a_wait_is_kept_as_pulumi_writes_durations(wait: str) -> None:
    assert load({"readyWithin": wait}).ready_within == wait, "a sound limit is refused or changed"


def test_a_percent_of_its_own_wins_over_canary_percent_even_when_it_is_0() -> None:
    tracks = {"canary": {"version": "v1.1.0", "percent": 0}}
    found = load({"canaryPercent": "50", "services": {"frontend": {"tracks": tracks}}}).services["frontend"]
    assert found.tracks["canary"].percent == 0, "0 was taken for unset"
    assert not found.deployed_tracks, "a track without share and tag is deployed: 0 is no abort"


def test_a_track_at_0_percent_with_a_tag_is_deployed() -> None:
    tracks = {"green": {"version": "v1.1.0", "tag": "green"}}
    assert "green" in load({"services": {"frontend": {"tracks": tracks}}}).services["frontend"].deployed_tracks, (
        "no dark launch"
    )


def test_0_is_a_number_of_pods_and_not_unset() -> None:
    stable = (
        load({"services": {"frontend": {"stable": {"minScale": 0, "concurrency": "0"}}}}).services["frontend"].stable
    )
    assert (stable.min_scale, stable.concurrency, stable.max_scale) == (0, 0, None), "0 was taken for unset"


@pytest.mark.parametrize(
    ("given", "text"), [(True, "true"), (False, "false"), (1, "1"), ("1.50", "1.50"), ("yes", "yes"), ("", "")]
)
def test_environment_values_become_text(given: Any, text: str) -> None:
    found = load({"services": {"frontend": {"stable": {"env": {"FLAG": given}}}}}).services["frontend"]
    assert found.stable.env["FLAG"] == text, "Kubernetes refuses a variable that is no text"


@pytest.mark.parametrize(("given", "text"), [(1, "1"), (True, "true"), ("1.10", "1.10")])
def test_versions_and_restarts_become_text_where_nothing_is_lost(given: Any, text: str) -> None:
    stable = load({"services": {"frontend": {"stable": {"version": given, "restart": given}}}}).services["frontend"]
    assert (stable.stable.version, stable.stable.restart) == (text, text), "a label and an annotation have to be text"


def test_what_knative_allows_is_no_problem() -> None:
    stable = {"minScale": 5, "maxScale": 0, "initialScale": 1, "env": {"APP_PORT": "8080", "K_SINK": "x"}}
    found = load({"services": {"frontend": {"stable": stable}}}).services["frontend"].stable
    assert (found.min_scale, found.max_scale) == (5, 0), "0 pods at most is no limit, and was taken for one"


def test_a_version_may_begin_without_pods_where_somebody_elses_knative_judges_it() -> None:
    existing = {"cluster": {"provider": "existing", "context": "mine"}, "knative": {"install": False}}
    services = {"frontend": {"stable": {"initialScale": 0}}}
    assert load({**existing, "services": services}).services["frontend"].stable.initial_scale == 0


@pytest.mark.parametrize("allowed", [True, "true", "True"])
def test_a_version_may_begin_without_pods_where_the_settings_of_knative_allow_it(allowed: Any) -> None:
    config = {"config-autoscaler": {"allow-zero-initial-scale": allowed}}
    services = {"frontend": {"stable": {"initialScale": 0}}}
    found = load({"knative": {"config": config}, "services": services})
    assert found.services["frontend"].stable.initial_scale == 0


@pytest.mark.parametrize("config", [{}, {"config-autoscaler": {"allow-zero-initial-scale": "false"}}, {"other": {}}])
def test_a_version_that_may_not_begin_without_pods_names_the_setting_that_allows_it(config: Any) -> None:
    services = {"frontend": {"stable": {"initialScale": 0}}}
    with pytest.raises(settings.SettingsError) as raised:
        load({"knative": {"config": config}, "services": services})
    assert "knative.config.config-autoscaler.allow-zero-initial-scale' true" in str(raised.value)


@pytest.mark.parametrize("version", ["22.1.5", "22.9.0"])
def test_a_chart_may_be_another_one_of_the_same_major_version(version: str) -> None:
    assert load({"kafka": {"chartVersion": version}}).kafka.chart_version == version


def test_a_version_may_be_a_digest() -> None:
    digest = "sha256:" + "0123456789abcdef" * 4
    assert (
        load({"services": {"frontend": {"stable": {"version": digest}}}}).services["frontend"].stable.version == digest
    )


def test_settings_cannot_be_changed_once_they_are_read() -> None:
    with pytest.raises(pydantic.ValidationError):
        load({}).canary_percent = 50


def test_sources_may_be_the_name_of_a_file_below_the_project(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "sources.yaml").write_text(
        "manifests: /m\nimages: {docker.io/a: dev.local/a}\narchives: [/a.tar]\n"
    )
    found = load({"sources": "mine/sources.yaml"}, tmp_path).sources
    assert (found.manifests, found.archives) == ("/m", ("/a.tar",)), "the file was not read"
    assert found.images == {"docker.io/a": "dev.local/a"}, "the file's images were not read"
    assert found.charts.startswith("oci://"), "what the file leaves out is not upstream's"


def test_secrets_are_neither_parsed_nor_part_of_the_settings() -> None:
    found = load(dict.fromkeys(SECRETS, "{not: json"))
    assert "{not: json" not in repr(found), "a password stands where settings are printed"


def test_no_message_repeats_a_secret() -> None:
    with pytest.raises(settings.SettingsError) as raised:
        load({**dict.fromkeys(SECRETS, "{hunter2"), "redisPasword": "hunter2", "canaryPercent": "x"})
    assert "hunter2" not in str(raised.value), "a password is told to whoever reads the log"
    assert "did you mean redisPassword?" in str(raised.value), "a mistyped secret key gets no hint"


def test_a_canary_percent_without_any_canary_is_a_warning(small: Path) -> None:
    recorded = record({"canaryPercent": 20}, small)
    assert recorded.error is None, "what is only probably wrong was refused"
    assert len(recorded.warnings) == 1 and "canaryPercent is 20" in recorded.warnings[0], (
        "nobody is told that it has no effect"
    )


def test_a_canary_percent_with_a_canary_is_no_warning(small: Path) -> None:
    services = {"frontend": {"tracks": {"canary": {"version": "v1.1.0"}}}}
    assert not record({"canaryPercent": 20, "services": services}, small).warnings, "a sound stack is warned of"

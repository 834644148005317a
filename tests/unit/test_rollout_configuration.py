"""The configuration file of a stack: changed in one go, and nothing else in it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest import mock

import pytest
import yaml

from rollout import RolloutError, machine
from rollout.configuration import Configuration
from settings.rollouts import Rollout, service_settings

SERVICE = "notifications-service"

SETTINGS = """config:
  knative-releases:canaryPercent: 0  # pulumi config set canaryPercent 50 && pulumi up
  knative-releases:services:
    notifications-service:
      stable: {version: v1.0.0}
      tracks: {canary: {version: v1.1.0}}  # percent defaults to canaryPercent
    frontend:
      stable: {version: v1.0.0, tag: current}
      tracks: {version110: {version: v1.1.0, tag: version110, percent: 0, env: {FEATURE_DEBUG_ENABLED: "true"}}}
  knative-releases:postgresqlPassword:
    secure: v1:abc=  # of the team
encryptionsalt: v1:def=
"""


@pytest.fixture
def committed(tmp_path: Path) -> Configuration:
    """The settings of a team: comments, a service beside the one that is released, a secret."""
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(SETTINGS)
    file.chmod(0o640)
    return Configuration(file)


def write(configuration: Configuration, rollout: Rollout) -> None:
    """Write a state."""
    configuration.write(SERVICE, service_settings(rollout), rollout.exported())


def test_what_is_written_is_read_and_all_else_stays_as_it_was(committed: Configuration) -> None:
    before = committed.file.read_text()
    rollout = machine.started(Rollout(to="v1.1.0"), "r1", committed.entry(SERVICE))
    others = committed.others(SERVICE)
    write(committed, rollout)
    assert committed.entry(SERVICE) == service_settings(rollout)
    assert committed.rollout(SERVICE) == rollout.exported() and committed.others(SERVICE) == others
    after = committed.file.read_text()
    for kept in ("# percent defaults to canaryPercent", "secure: v1:abc=  # of the team", "encryptionsalt: v1:def="):
        assert kept in after, f"{kept} is gone"
    assert committed.file.stat().st_mode & 0o777 == 0o640
    write(committed, machine.aborted(rollout))
    assert (
        yaml.safe_load(before)["config"]["knative-releases:services"]
        == (yaml.safe_load(committed.file.read_text())["config"]["knative-releases:services"])
    ), "back to what it said"


def test_a_service_without_settings_has_none_again_after_the_way_back(tmp_path: Path) -> None:
    configuration = Configuration(tmp_path / "Pulumi.x.yaml")
    configuration.file.write_text("config: {}\n")
    rollout = machine.started(Rollout(to="v1.1.0"), "r1", configuration.entry(SERVICE))
    write(configuration, rollout)
    entry = configuration.entry(SERVICE)
    assert entry and entry["tracks"]["candidate"]["percent"] == 5
    write(configuration, machine.failed(rollout, "bad"))
    assert configuration.entry(SERVICE) is None


def test_a_write_that_dies_leaves_the_file_of_before(committed: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    before = committed.file.read_text()

    def dies(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", dies)
    rollout = machine.started(Rollout(to="v1.1.0"), "r1", committed.entry(SERVICE))
    with pytest.raises(KeyboardInterrupt):
        write(committed, rollout)
    assert committed.file.read_text() == before
    monkeypatch.undo()
    write(committed, rollout)
    assert [file.name for file in committed.file.parent.iterdir()] == ["Pulumi.dev.yaml"], "nothing is left beside it"


def test_a_write_that_the_disk_refuses_is_told_and_leaves_nothing(
    committed: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = committed.file.read_text()
    monkeypatch.setattr(os, "fsync", mock.Mock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(RolloutError, match=r"No space left on device.*rollout resume"):
        write(committed, machine.started(Rollout(to="v1.1.0"), "r1", committed.entry(SERVICE)))
    assert committed.file.read_text() == before
    assert [file.name for file in committed.file.parent.iterdir()] == ["Pulumi.dev.yaml"]


@pytest.mark.parametrize(("text", "told"), [(None, "make up"), ("config: {", "no YAML")])
def test_a_file_that_is_not_there_or_is_none_is_told(tmp_path: Path, text: str | None, told: str) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(RolloutError, match=told):
        Configuration(file).raw()


SHARED = """
config:
  knative-releases:services:
    frontend:
      stable: &base
        version: v1.0.0
        env: &env {A: "1"}
    agenda-service:
      stable: *base
    notifications-service:
      stable: *base
      tracks:
        canary: {<<: *base, percent: 5}
    c4p-service: {stable: {version: v1.0.0, env: {<<: *env, B: "2"}}}
"""


@pytest.mark.parametrize("service", ["frontend", "agenda-service", "notifications-service", "c4p-service"])
def test_what_a_service_shares_with_others_by_anchors_stays_theirs(tmp_path: Path, service: str) -> None:
    configuration = Configuration(tmp_path / "Pulumi.x.yaml")
    configuration.file.write_text(SHARED)
    before = yaml.safe_load(SHARED)["config"]["knative-releases:services"]
    rollout = machine.started(Rollout(to="v1.1.0", overrides={"env": {"C": "3"}}), "r1", configuration.entry(service))
    for state in (rollout, machine.promoted(rollout, full=True), machine.aborted(rollout)):
        configuration.write(service, service_settings(state), state.exported())
        found = yaml.safe_load(configuration.file.read_text())["config"]["knative-releases:services"]
        assert found == {**before, service: service_settings(state)}, "another service was changed"
    assert found == before


def test_services_that_are_merged_in_stay_others(tmp_path: Path) -> None:
    configuration = Configuration(tmp_path / "Pulumi.x.yaml")
    text = "all: &all\n  notifications-service: {stable: {version: v1.0.0}}\n"
    configuration.file.write_text(f"{text}config:\n  knative-releases:services:\n    <<: *all\n")
    write(configuration, machine.started(Rollout(to="v1.1.0"), "r1", configuration.entry(SERVICE)))
    found = yaml.safe_load(configuration.file.read_text())
    assert found["all"] == yaml.safe_load(text)["all"]
    assert found["config"]["knative-releases:services"][SERVICE]["tracks"]


def test_a_date_without_quotes_is_what_pulumi_makes_of_it(tmp_path: Path) -> None:
    """Seen in Pulumi 3.229."""
    configuration = Configuration(tmp_path / "Pulumi.x.yaml")
    stable = "{version: v1.0.0, restart: 2026-11-23}"
    configuration.file.write_text(
        f"config:\n  other:x: 2026-11-23T10:00:00Z\n  knative-releases:services:\n    {SERVICE}: {{stable: {stable}}}\n"
    )
    entry = configuration.entry(SERVICE)
    assert entry and entry["stable"]["restart"] == "2026-11-23 00:00:00 +0000 UTC"
    assert configuration.others(SERVICE)["other:x"] == "2026-11-23 10:00:00 +0000 UTC"
    rollout = machine.started(Rollout(to="v1.1.0"), "r1", entry)
    write(configuration, rollout)
    assert configuration.entry(SERVICE) == service_settings(rollout), "the service and its rollout say two things"


@pytest.mark.parametrize(
    "config",
    [
        "config: text",
        "config: {knative-releases:services: '{}'}",
        "config: {knative-releases:rollouts: [a]}",
        "config: {knative-releases:services: {frontend: text}}",
    ],
)
def test_what_is_no_mapping_is_told_with_its_place(tmp_path: Path, config: str) -> None:
    configuration = Configuration(tmp_path / "Pulumi.x.yaml")
    configuration.file.write_text(config)
    with pytest.raises(RolloutError, match=r"in Pulumi.x.yaml: given .*; wanted a mapping"):
        configuration.entry("frontend")

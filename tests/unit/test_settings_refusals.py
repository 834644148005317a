"""What is refused before any resource is registered, and how it is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

import settings
from tests.unit.recording import PROJECT, record
from tests.unit.refused_settings import REFUSED, V, frontend
from tests.unit.test_settings_values import load


@pytest.mark.parametrize(("configuration", "path", "given", "wanted"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_with_its_path_what_was_given_and_what_is_wanted(
    configuration: Mapping[str, Any],
    path: str,
    given: str,
    wanted: str,
) -> None:
    with pytest.raises(settings.SettingsError) as raised:
        load(configuration)
    assert [p.path for p in raised.value.problems] == [path], "another key is blamed, or one mistake is told twice"
    problem = raised.value.problems[0]
    assert given in problem.given, "the person does not find what was given"
    assert wanted in problem.wanted, "the person is not told what is wanted"
    assert f"knative-releases:{path}" in str(raised.value), "the message does not name the key as it stands in the file"


def test_a_problem_names_the_command_that_mends_it() -> None:
    with pytest.raises(settings.SettingsError) as raised:
        load(frontend(x={**V, "percent": 101}))
    assert "pulumi config set --path 'knative-releases:services.frontend.tracks.x.percent' <value>" in str(raised.value)


@pytest.mark.parametrize(
    ("services", "path"),
    [
        ({"frontend": {"tracks": {"x": V}}, "frontend-x": {}}, "services.frontend.tracks.x"),
        ({"frontend": {"stable": {"tag": "blue"}}, "blue-frontend": {}}, "services.frontend.stable.tag"),
        ({"a": {"tracks": {"b-c": V}}, "a-b": {"tracks": {"c": V}}}, "services.a-b.tracks.c"),
        ({"a": {"stable": {"tag": "c-b"}}, "b-a": {"stable": {"tag": "c"}}}, "services.b-a.stable.tag"),
    ],
    ids=["track against service", "tag against service", "track against track", "tag against tag"],
)
def test_names_that_join_to_another_objects_are_refused(services: Mapping[str, Mapping[str, Any]], path: str) -> None:
    own = {name: {"image": "example/any", **service} for name, service in services.items()}
    with pytest.raises(settings.SettingsError) as raised:
        load({"application": "none", "services": own})
    assert [p.path for p in raised.value.problems] == [path], "two objects would fight over one name"


def _any(name: str) -> dict[str, Any]:
    return {"application": "none", "services": {name: {"image": "example/any"}}}


def test_a_service_whose_revisions_would_have_too_long_names_is_refused() -> None:
    longest, longer = "s" * 52, "s" * 53
    assert longest in load(_any(longest)).services, "a name that Knative takes is refused"
    with pytest.raises(settings.SettingsError) as raised:
        load(_any(longer))
    assert [p.path for p in raised.value.problems] == [f"services.{longer}"], "the program ends in a traceback"
    assert "at most 52" in raised.value.problems[0].wanted


@pytest.mark.parametrize("password", ["", "p" * 101, "two\nlines", "tab\there", "\0"])
def test_a_password_that_no_store_takes_is_refused_and_not_repeated(password: str) -> None:
    with pytest.raises(settings.SettingsError) as raised:
        load({"redisPassword": password})
    assert [p.path for p in raised.value.problems] == ["redisPassword"], "the stack gets a store that does not start"
    assert not password or password not in str(raised.value), "it is told to whoever reads the log"
    assert load({"redisPassword": "p" * 100, "postgresqlPassword": 'it\'s "so" \\ é $x'})


def test_all_problems_are_told_in_one_message() -> None:
    with pytest.raises(settings.SettingsError) as raised:
        load(
            {
                "canaryPercnt": 1,
                "canaryPercent": "x",
                "cluster": {"httpPort": 0},
                "sources": "nowhere.yaml",
                "services": {
                    "frontend": {"stable": {"tag": "a"}, "tracks": {"x": {**V, "tag": "a"}, "stable": V}},
                    "c4p-service": {"tracks": {"x": {**V, "percent": 101}}},
                    "nobody": {},
                },
            }
        )
    paths = {p.path for p in raised.value.problems}
    assert paths == {
        "canaryPercnt",
        "canaryPercent",
        "cluster.httpPort",
        "sources",
        "services.frontend.tracks.x.tag",
        "services.frontend.tracks.stable",
        "services.c4p-service.tracks.x.percent",
        "services.nobody",
    }, "a person has to run again and again to hear of every mistake"
    assert str(raised.value).startswith("8 problems in the stack's configuration; nothing was changed:")


def test_a_refusal_ends_without_a_traceback() -> None:
    assert issubclass(settings.SettingsError, pulumi.RunError), "Pulumi prints a traceback for any other error"


@pytest.mark.parametrize("configuration", [{"canaryPercnt": 1}, frontend(x={**V, "percent": 101})])
def test_nothing_is_registered_when_the_settings_are_refused(configuration: Mapping[str, Any], small: Path) -> None:
    recorded = record(configuration, small)
    assert isinstance(recorded.error, settings.SettingsError), (
        f"the program went on, or ended otherwise: {recorded.error!r}"
    )
    assert not recorded.resources, "a refused configuration changed something"


def test_a_secret_anywhere_but_in_the_keys_for_secrets_is_refused_and_not_repeated(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"{PROJECT}:services", f"{PROJECT}:redisPassword"]
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(keys))
    recorded = record({**frontend({"env": {"TOKEN": "hunter2"}, "tag": "hunter2 "}), "redisPassword": "r"}, small)
    assert isinstance(recorded.error, settings.SettingsError), "it is plain text in the state"
    assert [p.path for p in recorded.error.problems] == ["services"], "the secrets' own keys are refused, or nothing is"
    assert "hunter2" not in str(recorded.error), "it is told to whoever reads the log"
    assert "Pulumi.test.yaml" in str(recorded.error) and "postgresqlPassword" in str(recorded.error)
    assert not recorded.resources


def test_a_sources_file_that_is_no_mapping_is_told_as_such(tmp_path: Path) -> None:
    for text in ("- a\n", "just words\n", "{broken\n"):
        (tmp_path / "sources.yaml").write_text(text)
        with pytest.raises(settings.SettingsError, match="sources"):
            load({"sources": "sources.yaml"}, tmp_path)

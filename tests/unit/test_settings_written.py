"""Values that YAML changes on the way: only the text of the stack's file still says what a person wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import settings
from tests.unit import small_release
from tests.unit.recording import PROJECT, ROOT, record

STABLE = "services.frontend.stable"


def problems(text: str, value: Any, key: str = "env") -> list[settings.Problem]:
    """What is told of a setting of the frontend's stable version, or of its variable X, that is written as `text` and
    arrives as a value.
    """
    written, arrived = (f"{{X: {text}}}", {"X": value}) if key == "env" else (text, value)
    file = f"config:\n  {PROJECT}:services:\n    frontend:\n      stable:\n        {key}: {written}\n"
    raw = {"services": json.dumps({"frontend": {"stable": {key: arrived}}})}
    try:
        settings.load(raw, ROOT, file)
    except settings.SettingsError as error:
        return list(error.problems)
    return []


# What is written, and what Pulumi 3.226 hands over for it.
CHANGED: list[tuple[str, Any]] = [
    ("1.10", 1.1),
    ("1.0", 1),
    ("012345", 5349),
    ("0o17", 15),
    ("0x1F", 31),
    ("0b11", 3),
    ("1e3", 1000),
    ("1_000", 1000),
    ("+5", 5),
    (".50", 0.5),
    ("08", 8),
    ("-012", -10),
    ("1.", 1),
    ("1e21", 1e21),
    ("12345678901234567890", 12345678901234567000),
    ("2026-01-02", "2026-01-02 00:00:00 +0000 UTC"),
    ("2026-1-2 10:00:00", "2026-01-02 10:00:00 +0000 UTC"),
    ("True", True),
    ("FALSE", False),
]


@pytest.mark.parametrize(("text", "value"), CHANGED, ids=[text for text, _ in CHANGED])
def test_a_variable_that_yaml_has_changed_is_refused_with_what_was_written(text: str, value: Any) -> None:
    found = problems(text, value)
    assert [p.path for p in found] == [f"{STABLE}.env.X"], "the pod gets another text, or one mistake is told twice"
    assert text in found[0].given and f'in quotes: "{text}"' in found[0].wanted
    assert found[0].fix.replace("'", "").endswith(f"{STABLE}.env.X {text}"), "the command sets another value"


@pytest.mark.parametrize(
    ("text", "value"),
    [("12345", 12345), ('"012345"', "012345"), ("'1.10'", "1.10"), ("yes", "yes"), ("on", "on"), ("true", True),
     ("1.10.2", "1.10.2"), ("10:30", "10:30"), ("v1", "v1"), ("-7", -7)],
)  # fmt: skip
def test_a_variable_that_arrives_as_it_was_written_is_taken(text: str, value: Any) -> None:
    assert not problems(text, value), "a sound setting is refused"


def test_a_date_is_refused_when_pulumi_has_written_its_time_into_the_file() -> None:
    time = "2026-01-02 00:00:00 +0000 UTC"
    found = problems(f'"{time}"', time)
    assert [p.path for p in found] == [f"{STABLE}.env.X"] and "in quotes" in found[0].wanted


@pytest.mark.parametrize(("text", "value"), [("0123456", 42798), ("1.10", 1.1), ("1e3", 1000), ("20260102", 20260102)])
def test_a_version_is_taken_only_as_it_was_written(text: str, value: Any) -> None:
    assert [p.path for p in problems(text, value, "version")] == ([f"{STABLE}.version"] if text != str(value) else [])


def test_a_number_that_means_another_one_is_refused_anywhere() -> None:
    assert [p.path for p in problems("010", 8, "minScale")] == [f"{STABLE}.minScale"], "8 pods where 10 are written"
    assert not problems("1.0", 1, "cpu") and not problems("1_000", 1000, "maxScale"), "the same number is refused"
    assert problems("True", True, "restart"), "a text that YAML changed is taken"


def test_a_percentage_at_the_top_is_read_as_it_is_written() -> None:
    with pytest.raises(settings.SettingsError) as raised:
        settings.load({"canaryPercent": "8"}, ROOT, f"config:\n  {PROJECT}:canaryPercent: 010\n")
    assert [p.path for p in raised.value.problems] == ["canaryPercent"]


def test_a_value_that_is_not_the_files_is_not_judged() -> None:
    assert not problems("010", 20, "minScale"), "what was set for one run on the command line is refused"


@pytest.mark.parametrize(
    "text", ["", "config:", "config: {}", "- a", "encryptionsalt: v1", "config: {other: {a: 010}}"]
)
def test_a_file_that_says_nothing_is_no_problem(text: str) -> None:
    assert settings.load({}, ROOT, text)


def test_the_program_reads_the_file_of_its_stack(tmp_path: Path) -> None:
    manifests = small_release.write(tmp_path)  # the folder that the program runs in here
    services = "{frontend: {stable: {env: {ZIP: 012345}}}}"
    (manifests / "Pulumi.test.yaml").write_text(f"config:\n  {PROJECT}:services: {services}\n")
    recorded = record({"services": {"frontend": {"stable": {"env": {"ZIP": 5349}}}}}, manifests)
    assert isinstance(recorded.error, settings.SettingsError), "nobody looks at what was written"
    assert not recorded.resources

"""Settings of services in a file or a folder of files: as in the stack's own, but without a limit to their size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import settings
from settings.rules import warnings
from tests.unit.recording import record
from tests.unit.test_settings_values import load

HELLO = {"image": "ghcr.io/acme/hello:1", "tracks": {"canary": {"version": "2", "percent": 50}}}
CART = {"image": "ghcr.io/acme/cart:1"}
BOTH = {"hello": HELLO, "cart": CART}
WALL = 128 * 1024
"""What Linux takes of one environment variable."""


def put(file: Path, content: Any) -> None:
    """A YAML file, from its text or from what it says."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))


def of_files(folder: Path, services: str = "services", **more: Any) -> settings.Settings:
    """The settings of a stack without an application, whose services are in files."""
    return load({"application": "none", "services": services, **more}, folder)


def refused(folder: Path, services: str = "services", **more: Any) -> dict[str, settings.Problem]:
    """What is wrong with them, by path."""
    with pytest.raises(settings.SettingsError) as raised:
        of_files(folder, services, **more)
    problems = {problem.path: problem for problem in raised.value.problems}
    assert len(problems) == len(raised.value.problems), "one place is blamed twice"
    return problems


def test_a_file_and_a_folder_say_what_the_stacks_own_settings_would(tmp_path: Path) -> None:
    inline = load({"application": "none", "services": BOTH}, tmp_path)
    put(tmp_path / "all.yaml", BOTH)
    put(tmp_path / "each/hello.yaml", HELLO)
    put(tmp_path / "each/cart.yml", CART)
    put(tmp_path / "teams/shop.yaml", {"services": BOTH})
    for named in ("all.yaml", "each", "each/", "teams", str(tmp_path / "all.yaml")):
        found = of_files(tmp_path, named)
        assert dict(found.services) == dict(inline.services), f"{named} says something else"
        assert found.definitions == inline.definitions


def test_settings_beyond_what_one_environment_variable_holds_work(tmp_path: Path) -> None:
    many = {f"service-{n:03}": {**HELLO, "stable": {"env": {"A": "x" * 1400}}} for n in range(100)}
    assert len(json.dumps(many)) > WALL, "this test proves nothing"
    for name, entry in many.items():
        put(tmp_path / f"services/{name}.yaml", entry)
    found = of_files(tmp_path)
    assert len(found.services) == 100 and found.services["service-099"].tracks["canary"].percent == 50


def test_the_program_reads_them_from_its_folder(small: Path, tmp_path: Path) -> None:
    put(tmp_path / "services/hello.yaml", HELLO)
    recorded = record({"application": "none", "services": str(tmp_path / "services")}, small)
    assert recorded.error is None and list(recorded.outputs["services"]) == ["hello"]


def test_a_service_of_the_application_has_its_entry_in_the_folder_or_none(tmp_path: Path) -> None:
    put(tmp_path / "services/frontend.yaml", {"stable": {"tag": "current"}})
    put(tmp_path / "services/c4p-service.yaml", "# nothing yet\n")
    found = load({"services": str(tmp_path / "services")})
    assert found.services["frontend"].stable.tag == "current" and len(found.services) == 4


def test_canary_percent_counts_for_canaries_in_files(tmp_path: Path) -> None:
    put(tmp_path / "services/hello.yaml", {**CART, "tracks": {"canary": {"version": "2"}}})
    assert of_files(tmp_path, canaryPercent="30").services["hello"].tracks["canary"].percent == 30


@pytest.mark.parametrize("named", ["absent", "absent.yaml", ""])
def test_what_does_not_exist_is_reported_with_the_way_out(tmp_path: Path, named: str) -> None:
    problem = refused(tmp_path, named)["services"]
    assert "exists" in problem.wanted and "pulumi config rm services" in problem.fix and f'"{named}"' in problem.given


def test_a_folder_without_files_is_reported(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    assert "without YAML files" in refused(tmp_path)["services"].given


def test_everything_wrong_with_files_is_reported_at_once(tmp_path: Path) -> None:
    put(tmp_path / "services/broken.yaml", "{broken\n")
    put(tmp_path / "services/words.yaml", "just words\n")
    put(tmp_path / "services/list.yaml", "- a\n")
    put(tmp_path / "services/twice.yaml", "stable: {version: '1'}\nstable: {version: '2'}\n")
    put(tmp_path / "services/hello.yaml", HELLO)
    put(tmp_path / "services/hello.yml", HELLO)
    put(tmp_path / "services/manifest.yaml", {"apiVersion": "serving.knative.dev/v1", "kind": "Service"})
    put(tmp_path / "services/cart.yaml", {**CART, "stable": {"minScale": 5, "maxScale": 2}, "colour": "red"})
    (tmp_path / "services/latin.yaml").write_bytes(b"a: \xe9\n")
    found = refused(tmp_path, canaryPercent="101")
    names = ("broken", "words", "list", "twice", "hello", "manifest", "latin")
    assert {*found} == {"canaryPercent", "services.cart.colour", *(f"services.{name}" for name in names)}
    assert "stable (line 2)" in found["services.twice"].given, "the second of two keys wins silently"
    assert "hello.yaml" in found["services.hello"].given and "hello.yml" in found["services.hello"].given
    assert "application" in found["services.manifest"].fix, "who mistook the one folder for the other is not helped"
    for name in names:
        assert f"services/{name}.y" in found[f"services.{name}"].given + found[f"services.{name}"].fix


def test_one_file_with_something_else_is_reported(tmp_path: Path) -> None:
    put(tmp_path / "all.yaml", "- a\n")
    assert "not a mapping" in refused(tmp_path, "all.yaml")["services"].given
    put(tmp_path / "all.yaml", {"hello": "words", "cart": CART})
    problem = refused(tmp_path, "all.yaml")["services.hello"]
    assert "all.yaml" in problem.fix or "services.hello" in problem.path


def test_no_command_changes_the_stacks_settings_of_a_service_that_is_in_a_file(tmp_path: Path) -> None:
    put(
        tmp_path / "services/cart.yaml",
        {**CART, "stable": {"version": "v 1", "colour": 1, "minScale": 5, "maxScale": 2}},
    )
    put(tmp_path / "services/hello.yaml", {**HELLO, "tracks": {"A": {"version": "2", "percent": 101}, "stable": {}}})
    put(tmp_path / "all.yaml", {"cart": {**CART, "stable": {"minScale": 5, "maxScale": 2}}})
    for problem in refused(tmp_path).values():
        assert "pulumi config" not in problem.fix, f"the command would overwrite the name of the folder: {problem}"
        assert "services/" in problem.fix, f"where to change it is not said: {problem}"
    fixes = {path: problem.fix for path, problem in refused(tmp_path, "all.yaml").items()}
    assert fixes == {"services.cart.stable.minScale": "in all.yaml, write cart.stable.minScale: 2"}


@pytest.mark.parametrize(
    ("text", "path", "read"),
    [
        ("stable: {version: 1.10}", "services.cart.stable.version", "1.1"),
        ("stable: {version: '1', env: {ZIP: 010}}", "services.cart.stable.env.ZIP", "8"),
        ("tracks: {canary: {version: '1', percent: 010}}", "services.cart.tracks.canary.percent", "8"),
        ("rollout: {to: 1.10}", "rollouts.cart.to", "1.1"),
    ],
)
def test_a_number_that_yaml_changes_is_reported(tmp_path: Path, text: str, path: str, read: str) -> None:
    put(tmp_path / "services/cart.yaml", f"image: ghcr.io/acme/cart:1\n{text}\n")
    problem = refused(tmp_path)[path]
    assert f"which YAML reads as {read}" in problem.given and "services/cart.yaml" in problem.fix


@pytest.mark.parametrize("text", ["yes", "off", "2026-11-23", "1:30", "1e3", "true", "12"])
def test_a_text_without_quotes_is_what_was_written(tmp_path: Path, text: str) -> None:
    put(tmp_path / "services/cart.yaml", f"image: ghcr.io/acme/cart:1\nstable: {{env: {{A: {text}}}}}\n")
    assert of_files(tmp_path).services["cart"].stable.env["A"] == text


def test_a_rollout_of_a_service_in_a_file_stands_beside_it(tmp_path: Path) -> None:
    put(tmp_path / "services/cart.yaml", {**CART, "rollout": {"to": "2"}})
    assert of_files(tmp_path).rollouts["cart"].to == "2"
    problem = refused(tmp_path, rollouts={"cart": {"to": "3"}})["rollouts.cart"]
    assert "services/cart.yaml" in problem.wanted, "two plans, and nobody says which one counts"
    put(tmp_path / "services/cart.yaml", {**CART, "rollout": {"to": "2", "colour": "red"}})
    assert refused(tmp_path)["rollouts.cart.colour"].fix == "in services/cart.yaml, remove rollout.colour"


def test_a_warning_names_the_file(tmp_path: Path) -> None:
    put(tmp_path / "services/cart.yaml", CART)
    (warning,) = warnings(of_files(tmp_path, canaryPercent="30"))
    assert "in services/cart.yaml, write tracks.canary.version: v1.1.0" in warning

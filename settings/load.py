"""From a stack's raw configuration to `Settings`: the only reader of the configuration."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
from pydantic import ValidationError

from settings import service_files, written
from settings.application import Application, application, filled, percent_of_canaries
from settings.knative_rules import begins_with_pods, refused_by_knative
from settings.local import sources, with_sources
from settings.model import Settings
from settings.problems import PROJECT, SECRETS, Problem, SettingsError, from_validation, remove_command, shown
from settings.releases import Service
from settings.rollouts import service_settings
from settings.rules import broken, misplaced, under_way, warnings
from settings.store_rules import untried_charts, unusable_passwords

CONFIG_FILE = "KNATIVE_RELEASES_CONFIG_FILE"
"""Variable of the environment with the file that a run's configuration is in, where it is not the stack's own: Pulumi
does not tell its program of --config-file.
"""
_PLAIN = ("canaryPercent",)


def load(raw: Mapping[str, str], directory: Path, said: str = "") -> Settings:
    """The settings that a raw configuration says.

    raw: keys without the project's prefix, values as Pulumi hands them over (JSON for objects).
    directory: where a relative path begins: of `sources`, of the application's folder, of a manifest.
    said: text of the file that the configuration was read from, for the numbers that YAML has changed.

    Raises SettingsError with every problem found.
    """
    problems: list[Problem] = []
    problems += unusable_passwords(raw)
    values = {key: _parsed(key, text, problems) for key, text in raw.items() if key not in SECRETS}
    changed = written.changed(said, values)
    values["sources"] = sources(values.get("sources"), directory, problems)
    canary_percent = percent_of_canaries(values)
    files = service_files.given(values, directory, problems)
    changed += files.changed if files else []
    values |= {"services": files.entries, "rollouts": files.rollouts} if files else {}
    found = _fill_services(values, canary_percent, directory, problems)
    _fill_knative(values)
    _known(values.get("rollouts"), "rollouts", found.names, problems)
    with_pods = begins_with_pods(values["knative"])
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        invalid = from_validation(error, Settings)
        sound = _sound_services(values, error)
        rules = [*broken(sound), *refused_by_knative(sound, with_pods=with_pods)]
        raise _refused([*problems, *_once([*changed, *invalid]), *rules], files) from None
    settings._application, settings._service_files = found, files
    problems += [*changed, *broken(settings.services)]
    problems += refused_by_knative(settings.services, with_pods=with_pods)
    problems += [*misplaced(settings), *untried_charts(settings)]
    problems += _under_way(settings, found, canary_percent)
    if problems:
        raise _refused(problems, files)
    return settings


def _under_way(settings: Settings, found: Application, canary_percent: int) -> Iterator[Problem]:
    """Edits of services that a rollout releases."""
    for name, rollout in settings.rollouts.items():
        if name in found.names and rollout.under_way:
            expected = filled(service_settings(rollout) or {}, canary_percent, found.definitions.get(name))
            yield from under_way(name, rollout, settings.services[name], expected)


def _refused(problems: list[Problem], files: service_files.ServiceFiles | None) -> SettingsError:
    return SettingsError(files.corrected(problems) if files else problems)


def from_stack() -> Settings:
    """The settings of the stack that is being run; warnings go to the engine's log."""
    prefix = f"{PROJECT}:"
    configuration = pulumi.runtime.config.get_config_env()
    raw = {key.removeprefix(prefix): value for key, value in configuration.items() if key.startswith(prefix)}
    # A key with a secret anywhere below it. It is decrypted by now, and the values of other problems are shown: this
    # one is told alone.
    secret_keys = [key.removeprefix(prefix) for key in pulumi.runtime.config.get_config_secret_keys_env()]
    if plain := [_not_secret(key) for key in raw if key in secret_keys and key not in SECRETS]:
        raise SettingsError(plain)
    here = Path.cwd()
    file = here / (os.environ.get(CONFIG_FILE) or f"Pulumi.{pulumi.get_stack()}.yaml")
    raw = with_sources(raw, pulumi.get_stack(), here)
    settings = load(raw, here, file.read_text() if file.is_file() else "")
    for warning in warnings(settings):
        pulumi.warn(warning)
    return settings


def services(raw: Mapping[str, str], directory: Path) -> Application:
    """What the services of a raw configuration are, sound or not, without judging the rest of it."""
    ignored: list[Problem] = []
    entries: Any = _parsed("services", raw.get("services", "{}"), ignored)
    if files := service_files.given({"services": entries}, directory, ignored):
        entries = files.entries
    return application(raw.get("application"), entries if isinstance(entries, dict) else {}, directory, ignored)


def secret(key: str) -> pulumi.Output[str] | None:
    """A secret of the stack that is being run (one of SECRETS); None where it is not set."""
    return pulumi.Config(PROJECT).get_secret(key)


def _not_secret(key: str) -> Problem:
    wanted = (
        f"no secret: the settings are plain text in the state, the outputs and the cluster. Secrets are "
        f"{' and '.join(SECRETS)} alone; a version fetches its own from where they are kept"
    )
    file = f"Pulumi.{pulumi.get_stack()}.yaml"
    return Problem(key, "a secret", wanted, f"take what is written as `secure: …` below {key} out of {file}")


def _parsed(key: str, text: Any, problems: list[Problem]) -> Any:
    if key in _PLAIN or not isinstance(text, str) or not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        problems.append(Problem(key, shown(text), "a mapping", remove_command(key)))
        return {}


def _sound_services(values: dict[str, Any], error: ValidationError) -> dict[str, Service]:
    """The services without a problem of their own, so that the rules between settings are told in the same go."""
    unsound = {
        str(details["loc"][1]) for details in error.errors() if details["loc"][0] == "services" and details["loc"][1:]
    }
    return {
        name: Service.model_validate(service) for name, service in values["services"].items() if name not in unsound
    }


def _once(problems: Iterable[Problem]) -> list[Problem]:
    """The first problem of each key: a number that YAML changed may also be one of the wrong type."""
    return list({problem.path: problem for problem in reversed([*problems])}.values())[::-1]


def _fill_services(
    values: dict[str, Any], canary_percent: int, directory: Path, problems: list[Problem]
) -> Application:
    """Find what the services are, and add what was left out: services, stable's version, the percents of tracks."""
    services = values.get("services", {})
    if not isinstance(services, dict):
        problems.append(Problem("services", shown(services), "a mapping", remove_command("services")))
        services = {}
    found = application(values.get("application"), services, directory, problems)
    values["services"] = {
        name: filled(services.get(name) or {}, canary_percent, found.definitions.get(name)) for name in found.names
    }
    return found


def _known(given: Any, key: str, known: tuple[str, ...], problems: list[Problem]) -> None:
    for name in given if isinstance(given, dict) else ():
        if name not in known:
            path = f"{key}.{name}"
            problems.append(Problem(path, "an unknown service", f"one of {', '.join(known)}", remove_command(path)))


def _fill_knative(values: dict[str, Any]) -> None:
    """Add what the provider and Knative's version decide: profile, domain, the Kourier of the same minor release."""
    given, cluster = values.get("knative", {}), values.get("cluster")
    if not isinstance(given, dict):
        return  # told by the model
    existing = isinstance(cluster, dict) and cluster.get("provider") == "existing"
    filled: dict[str, Any] = {"profile": "released", "domain": None} if existing else {}
    if minor := re.fullmatch(r"(\d+\.\d+)\.\d+", str(given.get("version", ""))):
        filled["kourierVersion"] = f"{minor[1]}.0"
    values["knative"] = {**filled, **given}

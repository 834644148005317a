"""The stack's configuration, as a rollout reads and changes it: one service's entry and its rollout, at once.

They are in the stack's file; where `services` names a file or a folder, in the service's file there. That file is
replaced whole, so that a tool that is killed leaves the settings of before or of after, never something between. All
else in it stays: other settings, secrets, comments.
"""

from __future__ import annotations

import datetime
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import settings
from rollout import RolloutError
from rollout.yaml_document import Change, UnreadableError, UnwritableError, changed, parsed, replaced
from settings import service_files
from settings.application import Application
from settings.problems import PROJECT, Problem, shown
from settings.service_files import ServiceFiles

SERVICES, ROLLOUTS = f"{PROJECT}:{service_files.KEY}", f"{PROJECT}:{service_files.ROLLOUTS}"


class Configuration:
    """One stack's configuration file, read anew by each method."""

    def __init__(self, file: Path) -> None:
        """file: such as Pulumi.dev.yaml."""
        self.file = file

    def raw(self) -> dict[str, str]:
        """The project's settings as Pulumi hands them to the program: keys without prefix, objects as JSON."""
        return _raw(self._config())

    def document(self) -> dict[str, Any]:
        """All that the file says, in plain values."""
        found: dict[str, Any] = json.loads(json.dumps(parsed(self._text(), self.file.name), default=_as_pulumi))
        return found

    def services(self) -> Application:
        """The services that may be released."""
        return settings.services(self.raw(), self.file.parent)

    def place(self, service: str) -> str:
        """The file with the service's entry and its rollout's, for people."""
        files = self._files(self._config())
        return str(files.place(service).file) if files else self.file.name

    def entry(self, service: str) -> dict[str, Any] | None:
        """The service's own entry below `services`, without what is null; None where it has none."""
        return _entry(self._complete(), SERVICES, service)

    def rollout(self, service: str) -> dict[str, Any] | None:
        """The entry of its rollout, planned, under way or ended, without what is null; None where it has none."""
        return _entry(self._complete(), ROLLOUTS, service)

    def others(self, service: str) -> dict[str, Any]:
        """All settings but the service's entry and its rollout's."""
        config = self._complete()
        for key in (SERVICES, ROLLOUTS):
            config[key] = {name: value for name, value in (config.get(key) or {}).items() if name != service}
        return config

    def with_rollout(self, service: str, entry: Mapping[str, Any] | None, rollout: Mapping[str, Any]) -> dict[str, str]:
        """The project's settings after `write`, all in themselves, with keys and values as `raw` has them."""
        config = self._complete()
        for key, value in ((SERVICES, entry), (ROLLOUTS, rollout)):
            others = {name: each for name, each in (config.get(key) or {}).items() if name != service}
            config[key] = others if value is None else {**others, service: value}
        return _raw(config)

    def corrected(self, problems: Sequence[Problem]) -> list[Problem]:
        """Problems of `with_rollout`, with the places to correct as they are in this configuration."""
        files = self._files(self._config())
        return files.corrected(problems) if files else list(problems)

    def write(self, service: str, entry: Mapping[str, Any] | None, rollout: Mapping[str, Any]) -> None:
        """Change the service's entry and its rollout's in one go.

        entry: None takes the service's away.
        """
        file, changes = self.file, list[Change]()
        if files := self._files(self._config()):
            place = files.place(service)
            file = self.file.parent / place.file
            changes = [(place.keys, {**(entry or {}), service_files.ROLLOUT: rollout})]
        else:
            changes = [(("config", key, service), value) for key, value in ((SERVICES, entry), (ROLLOUTS, rollout))]
        before = self._text() if file == self.file else file.read_text() if file.exists() else ""
        try:
            replaced(file, changed(before, file.name, changes))
        except OSError as error:
            raise UnwritableError(
                f"{file.name} cannot be written ({error.strerror}), so it says what it said before, and the "
                f"traffic stays as it is. Mend that, and then: rollout resume {service}, or rollout abort {service}"
            ) from None

    def _text(self) -> str:
        try:
            return self.file.read_text()
        except FileNotFoundError:
            raise UnreadableError(f"There is no {self.file.name}: make up") from None

    def _config(self) -> dict[str, Any]:
        found: Any = json.loads(_as_json(self._text(), self.file.name))
        self._mapping(found, "config")
        for key in (SERVICES, ROLLOUTS):
            if key == SERVICES and _names_files(found.get(key)):
                continue
            for name, entry in self._mapping(found.get(key), key).items():
                self._mapping(entry, f"{key}.{name}")
        config: dict[str, Any] = found
        return config

    def _files(self, config: Mapping[str, Any]) -> ServiceFiles | None:
        """The files that a configuration names. Raises RolloutError where they cannot be read."""
        problems: list[Problem] = []
        named, rollouts = config.get(SERVICES), config.get(ROLLOUTS)
        if not _names_files(named):
            return None
        given = {service_files.KEY: named, service_files.ROLLOUTS: rollouts}
        files = service_files.given(given, self.file.parent, problems)
        if problems:
            raise RolloutError("\n".join(["The services' settings cannot be read:", *(f"  - {p}" for p in problems)]))
        return files

    def _complete(self) -> dict[str, Any]:
        """The configuration with what the files say in it."""
        config = self._config()
        if (files := self._files(config)) is None:
            return config
        for name, entry in (*files.entries.items(), *files.rollouts.items()):
            if not isinstance(entry, dict):
                raise RolloutError(f"{name} in {files.place(name).file}: given {shown(entry)}; wanted a mapping")
        return {**config, SERVICES: dict(files.entries), ROLLOUTS: dict(files.rollouts)}

    def _mapping(self, value: Any, path: str) -> dict[str, Any]:
        """What has to be a mapping, or is not there."""
        if value is None or isinstance(value, dict):
            return value or {}
        raise UnreadableError(
            f"{path} in {self.file.name}: given {shown(value)}; wanted a mapping, written as YAML and not as text in "
            "quotes, since a rollout changes parts of it"
        )


@functools.lru_cache(maxsize=4)
def _as_json(text: str, name: str) -> str:
    """What a file says below `config`. Reading it so takes a tenth of a second, and it is asked every other moment."""
    return json.dumps(parsed(text, name).get("config") or {}, default=_as_pulumi)


def _as_pulumi(value: Any) -> str:
    """What YAML has a type for, and JSON has not, as Pulumi hands it to the program: a date without quotes."""
    if isinstance(value, datetime.date):
        return f"{value:%Y-%m-%d %H:%M:%S} +0000 UTC"
    return str(value)


def _raw(config: Mapping[str, Any]) -> dict[str, str]:
    prefix = f"{PROJECT}:"
    return {
        key.removeprefix(prefix): value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
        if key.startswith(prefix)
    }


def _names_files(services: Any) -> bool:
    """Whether the value of the setting is a name, and neither a mapping nor the text of one."""
    return isinstance(services, str) and not services.lstrip().startswith(("{", "["))


def _entry(config: Mapping[str, Any], key: str, service: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = without_nulls((config.get(key) or {}).get(service))
    return found


def without_nulls(value: Any) -> Any:
    """A setting without the keys that say nothing (`tag:`), at any depth: they are not written back. Pure."""
    if isinstance(value, Mapping):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    return value

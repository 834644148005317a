"""The stack's configuration file, as a rollout reads and changes it: one service's entry and its rollout, at once.

The file is replaced whole, so that a tool that is killed leaves the settings of before or of after, never something
between. All else in it stays: other settings, secrets, comments.
"""

from __future__ import annotations

import datetime
import functools
import json
import os
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

import settings
from rollout import RolloutError
from settings.application import Application
from settings.problems import PROJECT, shown

SERVICES, ROLLOUTS = f"{PROJECT}:services", f"{PROJECT}:rollouts"


class UnreadableError(RolloutError):
    """The file is away, or half saved, or has a slip in it that hides what it says."""


class UnwritableError(RolloutError):
    """The file says what it said before: the disk is full, or the file is somebody else's."""


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
        found: dict[str, Any] = json.loads(json.dumps(_parsed(self._text(), self.file.name), default=_as_pulumi))
        return found

    def services(self) -> Application:
        """The services that may be released."""
        return settings.services(self.raw(), self.file.parent)

    def entry(self, service: str) -> dict[str, Any] | None:
        """The service's own entry below `services`, without what is null; None where it has none."""
        return _entry(self._config(), SERVICES, service)

    def rollout(self, service: str) -> dict[str, Any] | None:
        """The entry of its rollout, planned, under way or ended, without what is null; None where it has none."""
        return _entry(self._config(), ROLLOUTS, service)

    def others(self, service: str) -> dict[str, Any]:
        """Everything in the file but the service's entry and its rollout's."""
        config = self._config()
        for key in (SERVICES, ROLLOUTS):
            config[key] = {name: value for name, value in (config.get(key) or {}).items() if name != service}
        return config

    def with_rollout(self, service: str, entry: Mapping[str, Any] | None, rollout: Mapping[str, Any]) -> dict[str, str]:
        """What `raw` would be after `write`."""
        config = self._config()
        _put(_child(config, SERVICES), service, entry)
        _put(_child(config, ROLLOUTS), service, rollout)
        return _raw(config)

    def write(self, service: str, entry: Mapping[str, Any] | None, rollout: Mapping[str, Any]) -> None:
        """Change the service's entry and its rollout's in one go.

        entry: None takes the service's away.
        """
        document = _parsed(self._text(), self.file.name)
        config = _child(document, "config")
        for key, value in ((SERVICES, entry), (ROLLOUTS, rollout)):
            _child(config, key)
            _unshare(config, key, deep=False)
            _unshare(config[key], service)
            _put(config[key], service, value)
        text = StringIO()
        _yaml().dump(document, text)
        target = self.file.resolve()
        fresh = target.with_name(f".{target.name}.new")
        try:
            with open(fresh, "w") as file:
                file.write(text.getvalue())
                file.flush()
                os.fsync(file.fileno())
            fresh.chmod(target.stat().st_mode)
            fresh.replace(target)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise UnwritableError(
                f"{self.file.name} cannot be written ({error.strerror}), so it says what it said before, and the "
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
            for name, entry in self._mapping(found.get(key), key).items():
                self._mapping(entry, f"{key}.{name}")
        config: dict[str, Any] = found
        return config

    def _mapping(self, value: Any, path: str) -> dict[str, Any]:
        """What has to be a mapping, or is not there."""
        if value is None or isinstance(value, dict):
            return value or {}
        raise UnreadableError(
            f"{path} in {self.file.name}: given {shown(value)}; wanted a mapping, written as YAML and not as text in "
            "quotes, since a rollout changes parts of it"
        )


def _yaml() -> YAML:
    """Reads and writes as Pulumi does (YAML 1.2), and keeps comments, quotes and long lines."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    return yaml


def _parsed(text: str, name: str) -> CommentedMap:
    try:
        document = _yaml().load(text)
    except YAMLError as error:
        raise UnreadableError(f"{name} is no YAML: {' '.join(str(error).split())}") from None
    return document if isinstance(document, CommentedMap) else CommentedMap()


@functools.lru_cache(maxsize=4)
def _as_json(text: str, name: str) -> str:
    """What a file says below `config`. Reading it so takes a tenth of a second, and it is asked every other moment."""
    return json.dumps(_parsed(text, name).get("config") or {}, default=_as_pulumi)


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


def _entry(config: Mapping[str, Any], key: str, service: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = without_nulls((config.get(key) or {}).get(service))
    return found


def without_nulls(value: Any) -> Any:
    """A setting without the keys that say nothing (`tag:`), at any depth: they are not written back. Pure."""
    if isinstance(value, Mapping):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    return value


def _unshare(parent: dict[str, Any], key: str, deep: bool = True) -> None:
    """Write out a value that an anchor, an alias or a merge (`<<`) shares with others, so that they stay as they are
    when it is changed.

    deep: parts of it count too.
    """
    if _shared(parent.get(key), deep):
        parent[key] = _written_out(parent[key])


def _shared(value: Any, deep: bool) -> bool:
    if not isinstance(value, CommentedMap | CommentedSeq):
        return False
    if value.yaml_anchor() or getattr(value, "merge", None):
        return True
    parts = value.values() if isinstance(value, CommentedMap) else value
    return deep and any(_shared(part, deep) for part in parts)


def _written_out(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _written_out(part) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_written_out(part) for part in value]
    return value


def _child(parent: dict[str, Any], key: str) -> dict[str, Any]:
    if parent.get(key) is None:
        parent[key] = {}
    child: dict[str, Any] = parent[key]
    return child


def _put(parent: dict[str, Any], key: str, value: Any) -> None:
    """Make the value of a key say this, and leave as it is written what says it already."""
    if value is None:
        parent.pop(key, None)
    elif isinstance(value, Mapping) and isinstance(parent.get(key), dict):
        for gone in set(parent[key]) - set(value):
            del parent[key][gone]
        for name, part in value.items():
            _put(parent[key], name, part)
    elif key not in parent or parent[key] != value:
        parent[key] = value

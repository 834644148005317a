"""The stack's configuration file, as a rollout reads and changes it: one service's entry and its rollout, at once.

The file is replaced whole, so that a tool that is killed leaves the settings of before or of after, never something
between. All else in it stays: other settings, secrets, comments.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from rollout import RolloutError
from settings.problems import PROJECT

SERVICES, ROLLOUTS = f"{PROJECT}:services", f"{PROJECT}:rollouts"


class Configuration:
    """One stack's configuration file, read anew by each method."""

    def __init__(self, file: Path) -> None:
        """file: such as Pulumi.dev.yaml."""
        self.file = file

    def raw(self) -> dict[str, str]:
        """The project's settings as Pulumi hands them to the program: keys without prefix, objects as JSON."""
        return _raw(self._config())

    def entry(self, service: str) -> dict[str, Any] | None:
        """The service's own entry below `services`, as it is written; None where it has none."""
        return _entry(self._config(), SERVICES, service)

    def rollout(self, service: str) -> dict[str, Any] | None:
        """The entry of its rollout, planned, under way or ended; None where it has none."""
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
        _put(_child(config, SERVICES), service, entry)
        _put(_child(config, ROLLOUTS), service, rollout)
        text = StringIO()
        _yaml().dump(document, text)
        target = self.file.resolve()
        fresh = target.with_name(f".{target.name}.new")
        with open(fresh, "w") as file:
            file.write(text.getvalue())
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(target.stat().st_mode)
        fresh.replace(target)

    def _text(self) -> str:
        try:
            return self.file.read_text()
        except FileNotFoundError:
            raise RolloutError(f"There is no {self.file.name}: make up") from None

    def _config(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(_as_json(self._text(), self.file.name))
        return found


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
        raise RolloutError(f"{name} is no YAML: {' '.join(str(error).split())}") from None
    return document if isinstance(document, CommentedMap) else CommentedMap()


@functools.lru_cache(maxsize=4)
def _as_json(text: str, name: str) -> str:
    """What a file says below `config`. Reading it so takes a tenth of a second, and it is asked every other moment."""
    return json.dumps(_parsed(text, name).get("config") or {})


def _raw(config: Mapping[str, Any]) -> dict[str, str]:
    prefix = f"{PROJECT}:"
    return {
        key.removeprefix(prefix): value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
        if key.startswith(prefix)
    }


def _entry(config: Mapping[str, Any], key: str, service: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (config.get(key) or {}).get(service)
    return found


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

"""The setting `sources`: where it is kept for this machine alone, below `.local`, which git ignores, and its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from settings.problems import Problem, SettingsError, remove_command, shown

KEY = "sources"


def file_of(stack: str, directory: Path) -> Path:
    """The file with what this machine knows of a stack; `make up` writes it, and it may be missing.

    It has the one key `sources`, with the same values as the setting.
    """
    return directory / ".local" / "stacks" / f"{stack}.yaml"


def with_sources(raw: Mapping[str, str], stack: str, directory: Path) -> dict[str, str]:
    """A raw configuration with this machine's `sources` for the stack, where its own settings have none.

    directory: the project's. Raises SettingsError where the file cannot be understood: the defaults in its place could
    replace a living cluster.
    """
    file = file_of(stack, directory)
    if KEY in raw or not file.is_file():
        return dict(raw)
    try:
        found = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        found = " ".join(str(error).split())
    sources = found.get(KEY) if isinstance(found, dict) else None
    if not isinstance(sources, str | dict):
        fix = f"rm {file.relative_to(directory)}, then make up SOURCES=upstream or make up SOURCES=offline"
        wanted = f"a mapping with the key {KEY}: a file name or a mapping"
        raise SettingsError([Problem(KEY, f"{shown(found)} in {file.relative_to(directory)}", wanted, fix)])
    return {**raw, KEY: sources if isinstance(sources, str) else json.dumps(sources)}


def sources(value: Any, directory: Path, problems: list[Problem]) -> Any:
    """The mapping itself, or the one that a named YAML file holds; relative paths begin at the project's folder."""
    if value is None:
        return {}
    if isinstance(value, str):
        file = directory / value
        if not file.is_file():
            problems.append(
                Problem(
                    KEY,
                    shown(value),
                    "a mapping, or a YAML file that holds one and exists",
                    f"{remove_command(KEY)} (upstream), or make the file: make up SOURCES=offline",
                )
            )
            return {}
        try:
            value = yaml.load(file.read_text(), Loader=yaml.CSafeLoader) or {}
        except yaml.YAMLError as error:
            problems.append(
                Problem(
                    KEY,
                    f"{shown(value)}, which is no YAML ({' '.join(str(error).split())})",
                    "a YAML file",
                    f"correct {file}, or {remove_command(KEY)} (upstream)",
                )
            )
            return {}
    return value

"""A YAML file that is changed in one go: some of its values, and all else stays as it is written, comments too."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from rollout import RolloutError


class UnreadableError(RolloutError):
    """The file is away, or half saved, or has a slip in it that hides what it says."""


class UnwritableError(RolloutError):
    """The file says what it said before: the disk is full, or the file is somebody else's."""


Change = tuple[tuple[str, ...], Any]
"""Keys that lead to a value, and the value; None: the last key goes."""


def parsed(text: str, name: str) -> CommentedMap:
    """A text as a mapping; something else is an empty one. Raises UnreadableError where it is not YAML.

    name: of its file, for the message.
    """
    try:
        document = _yaml().load(text)
    except YAMLError as error:
        raise UnreadableError(f"{name} is no YAML: {' '.join(str(error).split())}") from None
    return document if isinstance(document, CommentedMap) else CommentedMap()


def changed(text: str, name: str, changes: Sequence[Change]) -> str:
    """The text with other values. Raises UnreadableError where it is not YAML."""
    top: dict[str, Any] = {_TOP: parsed(text, name)}
    comments = "" if top[_TOP] else text  # no key has them, so they would be lost
    for keys, value in changes:
        parent, last = top, _TOP
        for key in keys:
            _child(parent, last)
            _unshare(parent, last, deep=False)
            parent, last = parent[last], key
        _unshare(parent, last)
        _put(parent, last, value)
    written = StringIO()
    _yaml().dump(top[_TOP], written)
    return f"{comments}{written.getvalue()}"


def replaced(file: Path, text: str) -> None:
    """Write a file whole, so that who reads it, now or after a power failure, finds the one text or the other.

    Raises OSError, and leaves the file of before.
    """
    target = file.resolve()
    fresh = target.with_name(f".{target.name}.new")
    try:
        with open(fresh, "w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        if target.exists():
            fresh.chmod(target.stat().st_mode)
        fresh.replace(target)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise


_TOP = ""


def _yaml() -> YAML:
    """Reads and writes as Pulumi does (YAML 1.2), and keeps comments, quotes and long lines."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    return yaml


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

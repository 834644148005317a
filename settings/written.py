"""What YAML makes of a text without quotes: 1.10 becomes 1.1, 010 becomes 8, 1e3 becomes 1000, a date becomes a time.

Pulumi hands over values. What was written is in the stack's own file alone, so that is read beside them, as long as
it is there: `pulumi config set` and `pulumi stack init` write the values back, changed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from settings.problems import PROJECT, Problem, set_command
from settings.types import TIME

_EXACT = re.compile(r"(.*\.)?(env\.[^.]+|version|restart|to|context)")
"""Settings in which every character counts; elsewhere 1.0 is as good as 1, and true as True."""


def changed(text: str, values: Mapping[str, Any]) -> list[Problem]:
    """The values that YAML has changed on the way.

    text: of the stack's file.
    values: the project's settings without prefix, as Pulumi handed them over. A value that is not the file's, set on
    the command line for one run, is not judged.
    """
    document = yaml.compose(text, Loader=yaml.CSafeLoader)
    config = children(document).get("config") if document else None
    problems: list[Problem] = []
    for key, node in children(config).items():
        name = key.removeprefix(f"{PROJECT}:")
        if name in values:
            problems += differing(node, values[name], name)
    return problems


def differing(node: yaml.Node, value: Any, path: str) -> Iterator[Problem]:
    """The values below a node that are not what was written there. path: of the setting that the node is."""
    if isinstance(node, yaml.MappingNode) and isinstance(value, Mapping):
        for key, child in children(node).items():
            if key in value:
                yield from differing(child, value[key], f"{path}.{key}")
    elif isinstance(node, yaml.SequenceNode) and isinstance(value, list):
        for index, (child, item) in enumerate(zip(node.value, value, strict=False)):
            yield from differing(child, item, f"{path}[{index}]")
    elif isinstance(node, yaml.ScalarNode) and not node.style and _is_other(node.value, value, path):
        read = str(value).lower() if isinstance(value, bool) else str(value)
        wanted = f'the text as it was meant, in quotes: "{node.value}"'
        yield Problem(
            path, f"{node.value}, which YAML reads as {read}", wanted, set_command(path, shlex.quote(node.value))
        )


def _is_other(written: str, value: Any, path: str) -> bool:
    """Whether a value is what YAML reads in a text, and another one than was written."""
    exact = bool(_EXACT.fullmatch(path))
    if isinstance(value, bool):
        return exact and written != str(value).lower() == written.lower()
    if str(value) == written:
        return False
    if isinstance(value, str) and TIME.fullmatch(value):
        return written != value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return False
    readings = list(_readings(written.replace("_", "")))
    return number in readings and (exact or number != readings[0])


def _readings(text: str) -> Iterator[float]:
    """What a number may be: as people read it first, then as YAML does."""
    for read in (float, lambda text: int(text, 0), lambda text: int(text, 8)):
        try:
            yield read(text)
        except ValueError:
            continue


def children(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """What a mapping has, by its keys; nothing for another node."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: child for key, child in node.value if isinstance(key, yaml.ScalarNode)}

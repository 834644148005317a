"""A YAML file beside the stack's own settings, read as Pulumi reads those: YAML 1.2 for everything but numbers.

So `yes`, `off` and a date are text. A number that is not what was written (010, 1.10) is found by `settings.written`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_AS_TEXT = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")


class YamlFileError(Exception):
    """A file cannot be read as a mapping; the message is the end of a sentence that begins with the file's name."""


@dataclass(frozen=True)
class YamlFile:
    """A mapping in a file."""

    node: yaml.Node | None
    """What is written; None: nothing."""
    value: dict[str, Any]
    """What that means, in the types of JSON."""


def _without_colon(pattern: re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(rf"(?!.*:){pattern.pattern}", pattern.flags)


class _Loader(yaml.CSafeLoader):
    """Booleans are `true` and `false` alone, there are no dates, and 1:30 is no number (YAML 1.1: 90)."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - overrides what PyYAML has at this place
        first: [(tag, _without_colon(pattern)) for tag, pattern in resolvers if tag not in _AS_TEXT]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(_AS_TEXT[0], re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def yaml_file(file: Path) -> YamlFile:
    """The mapping in a file; one without content is an empty one. Raises YamlFileError."""
    try:
        loader = _Loader(file.read_text())
        try:
            node = loader.get_single_node()
            twice = list(_twice(node)) if node else []
            value = loader.construct_document(node) if node and not twice else {}
            value = json.loads(json.dumps(value, default=str))  # as Pulumi hands over a mapping: every key is text
        finally:
            loader.dispose()
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise YamlFileError(f"which is not YAML ({' '.join(str(error).split())})") from None
    except OSError as error:
        raise YamlFileError(f"which cannot be read ({error.strerror})") from None
    if twice:
        raise YamlFileError(f"which says more than once: {', '.join(twice)}")
    if not isinstance(value, dict | None):
        raise YamlFileError("which is not a mapping")
    return YamlFile(node, value or {})


def _twice(node: yaml.Node) -> Iterator[str]:
    """The keys that a mapping has more than once, with the line of the second one: YAML keeps only the last."""
    todo, known = [node], set[int]()  # an alias leads to a node that is known
    while todo:
        each = todo.pop()
        if id(each) in known or isinstance(each, yaml.ScalarNode):
            continue
        known.add(id(each))
        if isinstance(each, yaml.MappingNode):
            keys = [key for key, _ in each.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"]
            first = {key.value: key for key in reversed(keys)}
            yield from (f"{key.value} (line {key.start_mark.line + 1})" for key in keys if first[key.value] is not key)
            todo += [child for _, child in each.value]
        else:
            todo += each.value

"""What is wrong with a configuration, for a person: key path, what was given, what is wanted, what fixes it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from settings.types import WANTED

PROJECT = "knative-releases"
SECRETS = ("postgresqlPassword", "redisPassword")
"""Keys set with `pulumi config set --secret`; read as secrets, never parsed."""

_WANTED = {
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "string_too_long": "at most {max_length} characters",
    "string_type": "text",
    "literal_error": "{expected}",
    "missing": "a value: this key is required",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
}


@dataclass(frozen=True)
class Problem:
    """One thing wrong: where (`services.frontend.stable.tag`), what was given, what is wanted, what mends it."""

    path: str
    given: str
    wanted: str
    fix: str = ""

    def __str__(self) -> str:
        lines = [f"{PROJECT}:{self.path}: given {self.given}; wanted {self.wanted}"]
        return "\n".join([*lines, f"    fix: {self.fix}"] if self.fix else lines)


class SettingsError(pulumi.RunError):
    """The stack's configuration is refused; the message lists every problem. No resource exists yet."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            f"{count} in the stack's configuration; nothing was changed:\n" + "\n".join(f"  - {p!s}" for p in problems)
        )


def set_command(path: str, value: str) -> str:
    """The `pulumi config set` command that sets a key path."""
    if "." in path:
        return f"pulumi config set --path '{PROJECT}:{path}' {value}"
    return f"pulumi config set {path} {value}"


def remove_command(path: str) -> str:
    """The `pulumi config rm` command that removes a key path."""
    return f"pulumi config rm --path '{PROJECT}:{path}'" if "." in path else f"pulumi config rm {path}"


def shown(value: Any) -> str:
    """A given value as a person typed it, cut to one short line."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def from_validation(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """The problems of a failed validation against `model`."""
    return [_problem(details, model) for details in error.errors()]


def _problem(details: ErrorDetails, model: type[BaseModel]) -> Problem:
    is_key = details["loc"][-1:] == ("[key]",)
    location = [str(part) for part in details["loc"] if part != "[key]"]
    path, kind = ".".join(location), details["type"]
    if kind == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        close = difflib.get_close_matches(location[-1], known, n=1)
        wanted = f"one of {', '.join(known)}" + (f" (did you mean {close[0]}?)" if close else "")
        return Problem(path, "an unknown key", wanted, remove_command(path))
    given = f"the name {shown(location[-1])}" if is_key else shown(details["input"])
    if kind == "missing":
        return Problem(path, "nothing", _WANTED[kind], set_command(path, "<value>"))
    fix = "" if is_key else set_command(path, "<value>")
    return Problem(path, given, _wanted(kind, details), fix)


def _wanted(kind: str, details: ErrorDetails) -> str:
    if kind == "string_pattern_mismatch":
        return WANTED[details["ctx"]["pattern"]]
    if kind == "value_error":
        return str(details["ctx"]["error"])
    if kind in _WANTED:
        return _WANTED[kind].format(**details.get("ctx", {}))
    return details["msg"]


def _known_keys(model: type[BaseModel], location: Sequence[str]) -> list[str]:
    fields: Any = model
    for part in location:
        fields = _child(fields, part)
    keys = [f.alias or name for name, f in fields.model_fields.items()] if fields else []
    return sorted([*keys, *SECRETS] if not location else keys)


def _child(model: Any, key: str) -> Any:
    """The model below a key; for a mapping of models, the model of its values."""
    if isinstance(model, dict):
        return model["values"]
    if model is None:
        return None
    for name, field in model.model_fields.items():
        if key in (field.alias, name):
            arguments: tuple[Any, ...] = getattr(field.annotation, "__args__", ())
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                return field.annotation
            return {"values": arguments[1]} if len(arguments) == 2 else None
    return None

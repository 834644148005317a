"""The README is held to the truth: the commands and keys that it names exist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from settings import Settings
from settings.problems import PROJECT, SECRETS
from tests.unit.recording import ROOT
from tests.unit.test_settings_values import load

KEY = re.compile(rf"{PROJECT}:([a-z][\w.<>-]*)")
CODE = re.compile(r"`([^`]+)`")


def readme() -> str:
    """Text of the README."""
    return (ROOT / "README.md").read_text()


def shell_lines() -> list[str]:
    """The lines of all fenced blocks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", readme(), re.DOTALL | re.MULTILINE)
    return [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]


def make_targets() -> set[str]:
    """The targets that the Makefile has."""
    return set(re.findall(r"^([A-Za-z][\w-]*)\s*:(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE))


def table_rows() -> Iterator[list[str]]:
    """Cells of the rows of the tables whose first head is `key`."""
    in_table = False
    for line in readme().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.lstrip().startswith("|") else []
        if in_table and cells:
            yield cells
        in_table = bool(cells) and (in_table or cells[0].lower() == "key")


def table_keys() -> list[str]:
    """What stands in code style in the first cells of those tables."""
    return [code.removeprefix(f"{PROJECT}:") for cells in table_rows() for code in CODE.findall(cells[0])]


def exists(path: str, model: Any = Settings) -> bool:
    """Whether a key path leads to a field; a part below a mapping may be any name."""
    part, _, rest = path.partition(".")
    if isinstance(model, type) and issubclass(model, BaseModel):
        fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
        return part in fields and (not rest or exists(rest, fields[part]))
    arguments = get_args(model)
    if get_origin(model) is Mapping:
        return not rest or exists(rest, arguments[1])
    return False


def test_every_make_command_is_a_target_of_the_makefile() -> None:
    named = [word for line in shell_lines() if line.startswith("make ") for word in line.split("#")[0].split()[1:]]
    unknown = {word for word in named if "=" not in word and not word.startswith("-")} - make_targets()
    assert named, "the README names no command: this test proves nothing"
    assert not unknown, f"the README names make targets that do not exist: {sorted(unknown)}"


def test_every_key_of_the_tables_is_a_setting() -> None:
    keys = table_keys()
    assert keys, "the README has no table of settings (head `| key | …`): this test proves nothing"
    unknown = [key for key in keys if key not in SECRETS and not exists(key)]
    assert not unknown, f"the README explains settings that do not exist: {unknown}"


def test_every_top_level_setting_is_explained() -> None:
    told = {key.partition(".")[0] for key in table_keys()} | {key for key in SECRETS if f"`{key}`" in readme()}
    known = {field.alias or name for name, field in Settings.model_fields.items()} | set(SECRETS)
    assert known <= told, f"the README does not explain {sorted(known - told)}"


def test_the_tables_defaults_are_the_programs() -> None:
    defaults = load({}).model_dump(by_alias=True)
    compared = 0
    for key, default, *_ in table_rows():
        value: Any = defaults
        for part in key.strip("`").split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None and (code := CODE.fullmatch(default)):
            compared += 1
            written = str(value).lower() if isinstance(value, bool) else str(value)
            assert code.group(1) == written, f"the README says {key} is {default} by default; it is {written}"
    assert compared > 5, "hardly anything is compared: this test proves little"


def test_every_key_named_anywhere_is_a_setting() -> None:
    unknown = [
        key for key in KEY.findall(readme()) if not exists(key.rstrip(".")) and key not in SECRETS and key != "index"
    ]
    assert not unknown, f"the README names settings that do not exist: {unknown}"


def test_paths_of_settings_are_told_from_mistakes() -> None:
    assert (
        exists("services.frontend.tracks.canary.percent")
        and exists("sources.images")
        and exists("knative.kourierVersion")
    )
    assert (
        not exists("services.frontend.tracks.canary.percnt")
        and not exists("canary_percent")
        and not exists("knative.x")
    )

"""The borders between the parts: who may import whom, and how large a file may be."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.recording import ROOT

PARTS = ("settings", "components", "assembly")
# Part of the program -> modules and packages that it must not import, at any depth.
FORBIDDEN = {
    "settings": ("components", "assembly", "pulumi_kubernetes", "pulumi_command"),
    "components": ("assembly", "settings"),
    "assembly": ("pulumi_command",),
}
# The rooms of components, from the bottom up: each imports only from those before it, and from the files beside them.
ROOMS = ("kind", "sources", "cluster", "knative", "stores", "release", "commands")
# The commands beside the program, from the bottom up.
BESIDE = ("status", "analysis", "rollout")
NOT_IN_THE_PROGRAM = ("analysis", "offline", "rollout", "status", "toolchain", "tests")


@pytest.fixture(autouse=True)
def undisturbed_parser() -> Iterator[None]:
    """No garbage is collected meanwhile: what earlier tests' futures say when they end makes the parser of Python 3.11
    stumble ("AST constructor recursion depth mismatch").
    """
    gc.disable()
    yield
    gc.enable()


def files(part: str) -> list[Path]:
    """The Python files of a part."""
    return sorted((ROOT / part).rglob("*.py"))


def program() -> list[Path]:
    """The Python files that `pulumi up` runs."""
    return [ROOT / "__main__.py", *(file for part in PARTS for file in files(part))]


def modules(file: Path) -> Iterator[str]:
    """What a file imports, wherever in it; of `from a import b` both a and a.b."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import hides what is imported"
            yield from (node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names))


def imports(file: Path) -> Iterator[str]:
    """Top-level packages that a file imports."""
    yield from (module.partition(".")[0] for module in modules(file))


def name(file: Path) -> str:
    """A file's name below the project."""
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("part", PARTS)
def test_a_part_imports_nothing_of_what_it_must_not_know(part: str) -> None:
    assert files(part), "the part is empty: this test proves nothing"
    found = [(name(file), package) for file in files(part) for package in imports(file) if package in FORBIDDEN[part]]
    assert not found, f"{part} knows what it must not: {found}"


def test_the_program_imports_neither_its_tests_nor_what_builds_its_tools() -> None:
    found = [(name(file), package) for file in program() for package in imports(file) if package in NOT_IN_THE_PROGRAM]
    assert not found, f"who has pulumi, kind and docker would need the offline builds as well: {found}"


def test_a_command_knows_nothing_of_those_above() -> None:
    found = [
        (name(file), package)
        for number, part in enumerate(BESIDE)
        for file in files(part)
        for package in imports(file)
        if package in BESIDE[number + 1 :]
    ]
    assert not found, f"an import upwards: {found}"


def test_a_room_of_the_components_knows_nothing_of_the_rooms_above() -> None:
    assert {file.parent.name for file in files("components")} == {*ROOMS, "components"}, "a room without a place"
    found = []
    for file in files("components"):
        own = ROOMS.index(file.parent.name) if file.parent.name in ROOMS else -1
        imported = [module for module in modules(file) if module.startswith("components.")]
        found += [(name(file), m) for m in imported if m.split(".")[1] in ROOMS and ROOMS.index(m.split(".")[1]) > own]
    assert not found, f"an import upwards: {found}"


def test_commands_run_under_any_python() -> None:
    for file in (*files("components/commands"), *files("components/kind")):
        module = name(file).removesuffix(".py").replace("/", ".")
        command = [sys.executable, "-S", "-c", f"import {module}"]  # -S: without site-packages
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"the user's python3 lacks what {module} imports: {done.stderr}"


def test_only_the_settings_read_the_configuration() -> None:
    readers = [
        name(file) for file in program() if "pulumi.Config(" in file.read_text() or "get_config" in file.read_text()
    ]
    assert readers and all(reader.startswith("settings/") for reader in readers), (
        f"read in more than one place: {readers}"
    )


@pytest.mark.parametrize("file", program(), ids=name)
def test_a_file_can_be_read_in_one_sitting(file: Path) -> None:
    longest = 80 if file.name == "__main__.py" else 200
    lines = len(file.read_text().splitlines())
    assert lines <= longest, f"{name(file)} has {lines} lines: divide it"


@pytest.mark.parametrize("file", program(), ids=name)
def test_a_function_can_be_seen_at_once(file: Path) -> None:
    functions = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef)]
    long = [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= 40]
    assert not long, f"{name(file)}: divide {long}"


@pytest.mark.parametrize("file", program(), ids=name)
def test_a_file_says_what_it_owns(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text())), f"{name(file)} has no module docstring"

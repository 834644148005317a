"""The check that no unit test uses the checkout's own settings and `.local`, seen at work in a run of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.checkout_guard import ROOT

CLOSED = {
    "settings": f"Path({str(ROOT / 'Pulumi.dev.yaml')!r}).read_text()",
    "relative": f"open(os.path.relpath({str(ROOT / 'Pulumi.dev.yaml')!r}))",
    "copy": f"shutil.copy({str(ROOT / 'Pulumi.other.yaml')!r}, 'copy')",
    "sources": f"Path({str(ROOT / '.local' / 'sources.yaml')!r}).read_text()",
    "tools": f"list(Path({str(ROOT / '.local' / 'bin')!r}).iterdir())",
}
OPEN = {
    "project": f"assert Path({str(ROOT / 'Pulumi.yaml')!r}).read_text()",
    "own": "Path('Pulumi.dev.yaml').write_text(''); Path('.local').mkdir()",
}


def run(folder: Path, tests: Mapping[str, str], plugin: str, **environ: str) -> str:
    """Run pytest once on tests by name and statement, with a plugin of the project; what it says of each."""
    text = "".join(f"def test_{name}():\n    {statement}\n" for name, statement in tests.items())
    (folder / "test_it.py").write_text(f"import os, shutil\nfrom pathlib import Path\n{text}")
    command = [sys.executable, "-m", "pytest", "-rA", "-p", plugin, "-p", "no:cacheprovider", "test_it.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout


def test_what_make_up_changes_is_closed_to_a_test_and_all_else_is_open(tmp_path: Path) -> None:
    said = run(tmp_path, {**CLOSED, **OPEN}, "tests.unit.checkout_guard")
    for name in CLOSED:
        assert f"FAILED test_it.py::test_{name} - AssertionError: a unit test uses" in said, (
            f"a test may depend on what its user did before: {name}\n{said}"
        )
    for name in OPEN:
        assert f"PASSED test_it.py::test_{name}" in said, f"a sound test fails: {name}\n{said}"


def test_it_watches_these_tests_too() -> None:
    with pytest.raises(AssertionError, match="changes"):
        (ROOT / "Pulumi.dev.yaml").read_text()


def test_what_a_users_shell_has_set_reaches_no_unit_test(tmp_path: Path) -> None:
    shell = {"PULUMI_STACK": "prod", "SOURCES": "upstream", "HTTPS_PROXY": "http://proxy.test:1", "KEPT": "yes"}
    tests = {"it": f"assert {set(shell)} & set(os.environ) == {{'KEPT'}}"}
    said = run(tmp_path, tests, "tests.unit.conftest", **shell)
    assert "PASSED test_it.py::test_it" in said, f"a test may depend on its user's shell:\n{said}"

"""The check that a skipped test fails the run (tests/conftest.py), seen at work in a run of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.recording import ROOT

IN_A_TEST = "def test_other(): pass\ndef test_it(): "
MODULES = {
    "a skip": (IN_A_TEST + 'pytest.skip("no docker here")', "no docker here"),
    "a skip by mark": ('@pytest.mark.skipif(True, reason="old kernel")\n' + IN_A_TEST + "pass", "old kernel"),
    "an expected failure": (IN_A_TEST + 'pytest.xfail("some day")', "some day"),
    "an unexpected pass": ('@pytest.mark.xfail(reason="was broken")\n' + IN_A_TEST + "pass", "was broken"),
    "a module that skips itself": (
        "pytest.skip('not on this machine', allow_module_level=True)",
        "not on this machine",
    ),
}


def run(folder: Path, module: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a module with this text, with the project's conftest as a plugin."""
    (folder / "test_it.py").write_text(f"import pytest\n{module}\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "test_it.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("module", "reason"), MODULES.values(), ids=MODULES.keys())
def test_it_fails_the_run_and_its_reason_is_told(module: str, reason: str, tmp_path: Path) -> None:
    done = run(tmp_path, module)
    assert done.returncode == 1, f"a run that left something out passes:\n{done.stdout}"
    assert "not run, so the run fails" in done.stdout and reason in done.stdout, f"nobody is told why:\n{done.stdout}"


def test_a_run_without_skips_passes(tmp_path: Path) -> None:
    done = run(tmp_path, IN_A_TEST + "pass")
    assert done.returncode == 0, f"a whole run fails:\n{done.stdout}"

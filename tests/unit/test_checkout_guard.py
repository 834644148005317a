"""The check that no unit test uses the checkout's own settings and `.local`, seen at work in a run of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.checkout_guard import ROOT

CLOSED = {
    "the settings of a stack": f"Path({str(ROOT / 'Pulumi.dev.yaml')!r}).read_text()",
    "by a relative path": f"os.chdir({str(ROOT / 'docs')!r}); open('../Pulumi.dev.yaml')",
    "a copy of them": f"shutil.copy({str(ROOT / 'Pulumi.other.yaml')!r}, 'copy')",
    "the sources": f"Path({str(ROOT / '.local' / 'sources.yaml')!r}).read_text()",
    "the tools": f"list(Path({str(ROOT / '.local' / 'bin')!r}).iterdir())",
}
OPEN = {
    "the project's own file": f"assert Path({str(ROOT / 'Pulumi.yaml')!r}).read_text()",
    "files of the test's own": "Path('Pulumi.dev.yaml').write_text(''); Path('.local').mkdir()",
}


def run(folder: Path, statements: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on one test with these statements, with the check as a plugin."""
    text = f"import os, shutil\nfrom pathlib import Path\ndef test_it():\n    {statements}\n"
    (folder / "test_it.py").write_text(text)
    plugins = ["-p", "tests.unit.checkout_guard", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, "test_it.py"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("statements", CLOSED.values(), ids=CLOSED.keys())
def test_what_make_up_changes_is_closed_to_a_test(statements: str, tmp_path: Path) -> None:
    done = run(tmp_path, statements)
    assert done.returncode == 1, f"a test may depend on what its user did before:\n{done.stdout}"
    assert "which `make up` changes" in done.stdout, f"the file is not named:\n{done.stdout}"


@pytest.mark.parametrize("statements", OPEN.values(), ids=OPEN.keys())
def test_all_else_is_open(statements: str, tmp_path: Path) -> None:
    done = run(tmp_path, statements)
    assert done.returncode == 0, f"a sound test fails:\n{done.stdout}"


def test_it_watches_these_tests_too() -> None:
    with pytest.raises(AssertionError, match="changes"):
        (ROOT / "Pulumi.dev.yaml").read_text()

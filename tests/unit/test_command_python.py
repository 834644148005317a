"""Which Python the commands run under: the program's own, by a text that is the same in every checkout."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit import small_release
from tests.unit.recording import ROOT, record

SCRIPT = ROOT / "components" / "commands" / "run.sh"
OLD = "#!/bin/sh\nexit 1\n"
"""What a Python does that is asked whether it is new enough, and is not."""
NEW = f'#!/bin/sh\n[ "$1" = -c ] && exec {sys.executable} "$@"\necho "$0 $*"\n'
"""One that is, and says how it was called."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the script and no Python, and a folder `bin` for PATH."""
    script = tmp_path / "components" / "commands" / "run.sh"
    script.parent.mkdir(parents=True)
    shutil.copy(SCRIPT, script)
    (tmp_path / "bin").mkdir()
    return tmp_path


def python(file: Path, program: str) -> None:
    """Put a Python there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(program)
    file.chmod(0o755)


def run(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as the program's resources do."""
    command = ["/bin/sh", "-c", "exec sh components/commands/run.sh kind_cluster create"]
    (checkout / "bin" / "sh").unlink(missing_ok=True)
    (checkout / "bin" / "sh").symlink_to("/bin/sh")
    environment = {"PATH": str(checkout / "bin"), **environment}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def test_the_checkouts_own_python_goes_first(checkout: Path) -> None:
    python(checkout / ".venv" / "bin" / "python", NEW)
    python(checkout / "bin" / "python3", OLD)
    done = run(checkout)
    assert done.stdout == ".venv/bin/python -m components.commands.kind_cluster create\n", done


def test_then_the_active_environments_then_path_s(checkout: Path) -> None:
    python(checkout / "bin" / "python3", NEW)
    assert run(checkout).stdout.startswith(f"{checkout / 'bin' / 'python3'} -m")
    python(checkout / "active" / "bin" / "python", NEW)
    active = str(checkout / "active")
    assert run(checkout, VIRTUAL_ENV=active).stdout.startswith(f"{active}/bin/python -m")


def test_an_old_python_is_a_sentence(checkout: Path) -> None:
    python(checkout / "bin" / "python3", OLD)
    done = run(checkout)
    assert done.returncode == 1 and not done.stdout
    assert "Python 3.11 or newer is wanted" in done.stderr and "older or broken: python3" in done.stderr, done.stderr


def test_a_killed_command_holds_its_output_open_no_longer(checkout: Path) -> None:
    checking = checkout / "checking"
    python(checkout / ".venv" / "bin" / "python", f"#!/bin/sh\necho $$ > {checking}\nexec /bin/sleep 60\n")
    command = ["/bin/sh", "components/commands/run.sh", "kind_cluster", "create"]
    with subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for _ in range(600):
            if checking.exists() and checking.read_text():
                break
            time.sleep(0.05)
        process.kill()
        # Else it is waited for: the command provider waits until nobody has the output open.
        assert process.communicate(timeout=20) == (b"", b"")
    os.kill(int(checking.read_text()), signal.SIGKILL)


def test_the_program_says_the_same_in_every_checkout_and_leaves_no_shell_between(tmp_path: Path) -> None:
    recorded = record({}, small_release.write(tmp_path))
    assert recorded.error is None
    inputs = [r.inputs for r in recorded.of_kind("Command")]
    texts = [i[verb] for i in inputs for verb in ("create", "update", "delete") if verb in i]
    ours = [text for text in texts if "kind_cluster" in text]
    assert len(ours) == 4, texts
    assert all(re.fullmatch(r"exec sh components/commands/run\.sh kind_cluster \w+", text) for text in ours), ours
    assert not [text for text in texts if str(ROOT) in text or sys.prefix in text], texts

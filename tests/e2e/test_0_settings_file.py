"""The committed settings file, as Pulumi itself rewrites it: a stack made from it changes one line of it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.e2e.environment import PROJECT


def committed(name: str) -> str:
    """A committed file, whatever the work tree's one says by now."""
    shown = ["git", "-C", str(PROJECT), "show", f"HEAD:{name}"]
    return subprocess.run(shown, capture_output=True, text=True, check=True).stdout


def test_a_stack_made_from_it_adds_the_salt_and_changes_no_other_line(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml"):
        (tmp_path / name).write_text(committed(name))
    environment = {
        **os.environ,
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path}",
        "PULUMI_CONFIG_PASSPHRASE": "of this test",
    }
    for command in (
        ["stack", "select", "--create", "dev"],
        ["config", "set", "canaryPercent", "50"],
        ["config", "set", "canaryPercent", "0"],
    ):
        subprocess.run(["pulumi", "--non-interactive", *command], cwd=tmp_path, env=environment, check=True)
    before, after = (
        text.splitlines() for text in (committed("Pulumi.dev.yaml"), (tmp_path / "Pulumi.dev.yaml").read_text())
    )
    assert after[: len(before)] == before, "git diff shows what nobody changed"
    assert [line.partition(":")[0] for line in after[len(before) :]] == ["encryptionsalt"]

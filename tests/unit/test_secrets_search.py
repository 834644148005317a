"""The search for secrets finds what it is to find."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.secrets_search import Secrets, Watch

VALUE = "planted-3f9a1c7e5b2d8046"
SECRETS = Secrets({"a": VALUE, "key": "k" * 1000})


@pytest.mark.parametrize("before", ["", "x", "xy", "password: "])
def test_a_secret_is_found_plain_and_in_base64_wherever_it_begins(before: str) -> None:
    text = f"{before}{VALUE}, more".encode()
    assert SECRETS.found_in(text) == SECRETS.found_in(b"{" + base64.b64encode(text) + b"}") == ["a"]


def test_a_part_of_a_long_secret_is_enough_and_other_text_is_not_taken_for_one() -> None:
    assert SECRETS.found_in(b"k" * 60) == ["key"]
    assert SECRETS.found_in(b"planted-, and " + base64.b64encode(b"something else")) == []


def test_files_are_searched_with_their_names(tmp_path: Path) -> None:
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "1.json").write_text(f"{{password: {VALUE}}}")
    (tmp_path / "clean").write_text("nothing")
    assert SECRETS.in_files(tmp_path) == [f"{tmp_path}/history/1.json: a"]


def test_arguments_and_open_files_are_seen_while_they_are_there(tmp_path: Path) -> None:
    with Watch(tmp_path) as watch:
        (tmp_path / "open").write_text(VALUE)
        (tmp_path / "open").chmod(0o644)
        (tmp_path / "closed").touch(0o600)
        (tmp_path / "closed").write_text(VALUE)
        (tmp_path / "private").mkdir(0o700)
        (tmp_path / "private" / "file").write_text(VALUE)
        subprocess.run([sys.executable, "-c", "import time; time.sleep(1)", VALUE], check=True)
        time.sleep(0.1)
    assert any(VALUE.encode() in arguments for arguments in watch.arguments)
    assert list(watch.open_files) == [tmp_path / "open"]

"""The rule by which a walk-through's document is held to what happens; and the shell into which it is typed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e import walkthrough
from tests.e2e.test_7_walkthroughs import DOCUMENTS
from tests.e2e.walkthrough import Shell, Step, WalkthroughError, as_in_the_documents, differences, steps, walk
from tests.unit.recording import ROOT

HALVES = '  ~100 "1.0.0"\n  ~100 "1.1.0"\n'


@pytest.mark.parametrize(
    ("shown", "came"),
    [
        ("a\nb\n", "a\nb"),
        ("frontend-v1-0-0-… created (…)", "frontend-v1-0-0-507c3bbf created (3s)"),
        ("ends…", "ends"),
        ("…\nResources:\n…", "Resources:"),
        ("…\nResources:\n…", "one\ntwo\n\nResources:\n  1 changed\n"),
        ("…", "any\nlines\n"),
        ("     20 x", "  20 x  "),
        ("a+b (c)", "a+b (c)"),
        (HALVES, '110 "1.0.0"\n 90 "1.1.0"\n'),
    ],
)
def test_a_document_agrees_with_what_it_says(shown: str, came: str) -> None:
    assert differences(shown, came) == []


@pytest.mark.parametrize(
    ("shown", "came", "told"),
    [
        ("a\nb", "a", "shown:\n    a\n    b\n"),
        ("a", "a\nb", "came:\n    a\n    b\n"),
        ("a…c", "ab\nc", "came"),  # within one line
        ("…\na", "b", "came"),
        ("20 x", "21 x", "came"),
        (HALVES, '150 "1.0.0"\n 50 "1.1.0"\n', "~100 of 200 allows"),
        (HALVES, '100 "1.0.0"\n 99 "1.1.0"\n', "100 + 99 is not 200"),  # a request was lost
        (HALVES, '200 "1.0.0"\n', "came"),
    ],
)
def test_a_document_that_says_something_else_is_told(shown: str, came: str, told: str) -> None:
    assert told in "\n".join(differences(shown, came))


def test_steps_are_shell_blocks_with_the_text_that_follows() -> None:
    document = "# T\n```yaml\na: 1\n```\n```shell\nx\n```\nwords\n```shell\ny\nz\n```\n\n```text\nout\n\nput\n```\n"
    assert steps(document) == [Step("x\n", None), Step("y\nz\n", "out\n\nput\n")]


def test_a_text_that_follows_no_command_is_refused() -> None:
    with pytest.raises(ValueError, match="follows no shell block"):
        steps("```shell\nx\n```\n```text\na\n```\n```text\nb\n```\n")


def test_the_test_machines_names_are_the_documents() -> None:
    output = "Updating (e2e-7):\n@ updating....\nwarning: using pulumi-x from $PATH at /y\nhttp://a.127.0.0.1.sslip.io:8081/\n"
    assert as_in_the_documents(output, "e2e-7", 8081) == "Updating (dev):\nhttp://a.127.0.0.1.sslip.io/\n"


def test_a_shell_keeps_what_was_typed_and_its_quotes(tmp_path: Path) -> None:
    with Shell(tmp_path, os.environ) as shell:
        assert shell.type("a='it'\nf() { echo \"$a's $1\"; }\n").strip() == ""
        assert shell.type("f own; cat; echo err >&2\n").strip() == "it's own\nerr", "cat must find nothing to read"


@pytest.mark.parametrize("block", ["echo before; false; echo after", "echo 'before", "exit 0", "false | true"])
def test_a_block_that_fails_is_told(tmp_path: Path, block: str) -> None:
    with Shell(tmp_path, os.environ) as shell, pytest.raises(WalkthroughError, match="this failed") as failed:
        shell.type(block)
    assert block in str(failed.value) and "\nafter" not in str(failed.value)


def test_a_block_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walkthrough, "SECONDS", 0.3)
    with Shell(tmp_path, os.environ) as shell, pytest.raises(WalkthroughError, match=r"more than 0\.3 s"):
        shell.type("sleep 60")


def test_a_walk_stops_at_the_first_block_that_differs(tmp_path: Path) -> None:
    document = tmp_path / "x.md"
    document.write_text("```shell\necho a\n```\n```text\na\n```\n```shell\necho b\n```\n```text\nc\n```\n")
    with Shell(tmp_path, os.environ) as shell, pytest.raises(WalkthroughError, match=r"x\.md, block 2") as failed:
        walk(document, shell, "stack", 80)
    assert "shown:\n    c\n" in str(failed.value) and "came:\n    b\n" in str(failed.value)


def test_a_document_without_commands_proves_nothing_and_is_refused(tmp_path: Path) -> None:
    document = tmp_path / "x.md"
    document.write_text("# Words\n")
    with Shell(tmp_path, os.environ) as shell, pytest.raises(WalkthroughError, match="nothing to type"):
        walk(document, shell, "stack", 80)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.stem)
def test_a_strategys_document_can_be_read_as_steps_and_is_found(document: Path) -> None:
    assert steps(document.read_text())[0].typed.startswith("source scripts/activate\n")
    index = document.parent / "README.md"
    assert not index.exists() or f"({document.name})" in index.read_text()
    assert f"({document.relative_to(ROOT)})" in (ROOT / "README.md").read_text()

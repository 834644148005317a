"""Checks of a user's own: what is a yes, what is a no, and what is refused."""

from __future__ import annotations

import re
import sys

import pytest

from analysis import AnalysisError
from analysis.checks import CommandCheck, UrlCheck, check
from tests.unit.http_server import serving


def python(code: str) -> str:
    """A command line that runs a line of Python."""
    return f"{sys.executable} -c '{code}'"


def test_a_command_says_yes_or_no() -> None:
    given = python('import os; print("of", os.environ["TRACK"]); raise SystemExit(os.environ["TRACK"] == "canary")')
    no, yes = (check(given).run({"TRACK": track}) for track in ("canary", "stable"))
    assert (no.outcome, yes.outcome) == ("failed", "passed")
    assert no.metric == f"check {given}" and no.reason.endswith("says no (exit code 1: of canary)")


def test_a_command_that_hangs_is_a_no() -> None:
    found = CommandCheck(python("import time; time.sleep(60)"), seconds=0.2).run({})
    assert found.outcome == "failed" and "no answer within 0.2 s" in found.reason


@pytest.mark.parametrize("given", ["", "no-such-command --now", "echo 'open"])
def test_a_check_that_cannot_run_is_refused(given: str) -> None:
    with pytest.raises(AnalysisError, match=re.escape(repr(given))):
        check(given)


def test_a_url_says_yes_or_no() -> None:
    with serving(lambda path, _: (200 if path == "/yes" else 409, "")) as port:
        yes, no = (check(f"http://127.0.0.1:{port}/{word}").run({}) for word in ("yes", "no"))
    gone = UrlCheck(f"http://127.0.0.1:{port}/yes").run({})
    assert (yes.outcome, no.outcome, gone.outcome) == ("passed", "failed", "failed")
    assert "status 409" in no.reason and "refused" in gone.reason

"""Checks of a user's own: what is a yes, what is a no, and what is refused."""

from __future__ import annotations

import json
import re
import sys
from urllib.parse import parse_qs, urlsplit

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


def test_a_url_that_is_none_is_a_no_and_ends_nobody() -> None:
    assert check("http://[").run({}).outcome == "failed"


def test_a_query_says_yes_while_its_number_keeps_to_the_limit() -> None:
    answers = {"depth{r='new'}": ["3"], "depth{r='old'}": ["2"], "none": [], "two": ["1", "2"], "nan": ["NaN"]}
    asked: list[str] = []

    def answer(path: str, _: dict[str, str]) -> tuple[int, str]:
        asked.append(parse_qs(urlsplit(path).query)["query"][0])
        result = [{"metric": {}, "value": [0, value]} for value in answers[asked[-1]]]
        return 200, json.dumps({"data": {"resultType": "vector", "result": result}})

    environ = {"ROLLOUT_REVISION": "new", "ROLLOUT_STABLE_REVISION": "old"}
    with serving(answer) as port:
        server = f"prometheus:http://127.0.0.1:{port}"
        said = {
            query: check(f"{server} {query}").run(environ).outcome
            for query in (
                "depth{r='$ROLLOUT_REVISION'} <= 3",
                "depth{r='$ROLLOUT_REVISION'} < 3",
                "depth{r='${ROLLOUT_STABLE_REVISION}'} > 1.5",
                "none <= 1",
                "two <= 5",
                "nan <= 1",
            )
        }
    assert list(said.values()) == ["passed", "failed", "passed", "inconclusive", "inconclusive", "inconclusive"]
    gone = check(f"{server} none <= 1").run(environ)
    assert gone.outcome == "inconclusive" and "No Prometheus answers" in gone.reason, "an outage of it is no fault"


@pytest.mark.parametrize("given", ["prometheus:http://x", "prometheus:http://x up", "prometheus:ftp://x up > 0"])
def test_a_query_without_a_limit_or_a_server_is_refused(given: str) -> None:
    with pytest.raises(AnalysisError, match="wanted"):
        check(given)

"""Checks of a user's own: a command, a URL or a query of Prometheus that says yes or no.

A command says yes by exit code 0, a URL by status 200 to 299. Both get a limit of time; what cannot be asked is a no. A
query says yes when its number keeps to the limit behind it; without one number there is no verdict.
"""

from __future__ import annotations

import http.client
import math
import operator
import os
import re
import shlex
import shutil
import string
import subprocess
import urllib.error
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analysis import AnalysisError
from analysis.model import Check, Finding
from analysis.sources.promql import Prometheus
from components.proxies import open_url

SECONDS = 30.0
"""Limit for a command or a URL."""
_QUERY_SCHEME = "prometheus:"
_QUERY = re.compile(
    rf"{_QUERY_SCHEME}(?P<url>\S+)\s+(?P<query>.+?)\s*(?P<sign><=|>=|<|>)\s*(?P<limit>-?[0-9]+(\.[0-9]+)?)", re.DOTALL
)
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_SCHEMES = ("http://", "https://")
_LONGEST = 300
"""Of what a check said, in characters: its last words."""


@dataclass(frozen=True)
class CommandCheck:
    """A command, run without a shell."""

    name: str
    seconds: float = SECONDS

    def run(self, environ: Mapping[str, str]) -> Finding:
        """See `Check.run`."""
        try:
            done = subprocess.run(
                shlex.split(self.name),
                env={**os.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _finding(self.name, False, f"no answer within {self.seconds:g} s")
        except OSError as error:
            return _finding(self.name, False, error.strerror or str(error))
        said = done.stdout.strip()[-_LONGEST:]
        return _finding(self.name, not done.returncode, f"exit code {done.returncode}" + (f": {said}" if said else ""))


@dataclass(frozen=True)
class UrlCheck:
    """A URL, asked by GET."""

    name: str
    seconds: float = SECONDS

    def run(self, environ: Mapping[str, str]) -> Finding:  # noqa: ARG002 - of the protocol
        """See `Check.run`."""
        try:
            # Only http(s) gets here: `check` sees to it.
            with open_url(self.name, self.seconds) as response:
                return _finding(self.name, True, f"status {response.status}")
        except urllib.error.HTTPError as error:
            return _finding(self.name, False, f"status {error.code}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            return _finding(self.name, False, str(getattr(error, "reason", error)))


@dataclass(frozen=True)
class QueryCheck:
    """A query in PromQL with a limit. `$ROLLOUT_REVISION` and the other variables of a check are filled in."""

    name: str
    server: Prometheus
    query: str
    sign: str
    limit: float

    def run(self, environ: Mapping[str, str]) -> Finding:
        """See `Check.run`."""
        try:
            found = self.server.vector(string.Template(self.query).safe_substitute(environ))
        except AnalysisError as error:
            return self._unknown(str(error))
        if len(found) != 1 or math.isnan(found[0].value):
            return self._unknown(f"{len(found)} results, one number wanted" if len(found) != 1 else "not a number")
        value = found[0].value
        return _finding(self.name, _SIGNS[self.sign](value, self.limit), f"{value:.4g}")

    def _unknown(self, why: str) -> Finding:
        return Finding(metric=f"check {self.name}", outcome="inconclusive", reason=f"check {self.name}: {why}")


def check(given: str) -> Check:
    """The check that a text names: a URL (`http://…`, `https://…`), a query (`prometheus:URL QUERY <= NUMBER`), else a
    command with its arguments.

    Raises AnalysisError for a command that is not there, quotes that do not close, or a query without a limit.
    """
    if given.startswith(_QUERY_SCHEME):
        return _query(given)
    if given.startswith(_SCHEMES):
        return UrlCheck(given)
    try:
        words = shlex.split(given)
    except ValueError as error:
        raise AnalysisError(f"The check {given!r} is no command: {error}") from None
    if not words or shutil.which(words[0]) is None:
        raise AnalysisError(
            f"The check {given!r} is neither a URL (http://…) nor a command that is there: an executable file wanted"
        )
    return CommandCheck(given)


def _query(given: str) -> QueryCheck:
    found = _QUERY.fullmatch(given)
    if not found:
        raise AnalysisError(
            f"The check {given!r} is no query with a limit, wanted: prometheus:URL QUERY <= NUMBER (or <, >, >=)"
        )
    return QueryCheck(given, Prometheus(found["url"]), found["query"], found["sign"], float(found["limit"]))


def _finding(name: str, yes: bool, said: str) -> Finding:
    return Finding(
        metric=f"check {name}",
        outcome="passed" if yes else "failed",
        reason=f"check {name} says {'yes' if yes else 'no'} ({said})",
    )

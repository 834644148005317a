"""What an analysis takes and gives, as plain frozen values: samples, thresholds, findings, verdicts.

Pure. What fills them is behind two protocols, `Source` and `Check`, so that a rollout is driven, and tested, without
knowing where a number comes from. The services and tracks that are asked about are those of `status.model`: the same
values that a stack's outputs become.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, runtime_checkable

from status.counters.histogram import Histogram, difference
from status.model import Service

Origin = Literal["user", "probe"]
"""Who sent the requests of a sample: users, to the service's own URL; or this tool."""
Outcome = Literal["passed", "failed", "inconclusive"]
"""The names that Argo Rollouts has for an analysis, lower case, `passed` for its `Successful`."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The requests that one track got in a window, from one source."""

    requests: int = 0
    errors: int = 0
    """Those of them that failed: a status of 500 or more, or no answer. Never more than `requests`."""
    client_errors: int = 0
    """Those of them that were answered with a status of 400 to 499. None of them is among `errors`."""
    latency: Histogram = field(default_factory=Histogram)
    """Milliseconds of the answered ones. Its count may lag behind `requests`: a gateway merges its histograms every few
    seconds.
    """
    origin: Origin = "user"
    seconds: float = 0.0
    """Length of the window."""
    notes: tuple[str, ...] = ()
    """What a reader of the numbers has to know, as sentences: a gateway that began anew, requests of tags left out."""

    @property
    def error_rate(self) -> float | None:
        """0 to 1; None without requests."""
        return self.errors / self.requests if self.requests else None

    @property
    def client_error_rate(self) -> float | None:
        """0 to 1; None without requests."""
        return self.client_errors / self.requests if self.requests else None

    def since(self, before: Sample) -> Sample:
        """What came in since an earlier reading of the same window."""
        return replace(
            self,
            requests=max(0, self.requests - before.requests),
            errors=max(0, self.errors - before.errors),
            client_errors=max(0, self.client_errors - before.client_errors),
            latency=difference(self.latency.buckets, before.latency.buckets) or Histogram(),
            seconds=self.seconds - before.seconds,
        )

    def plus(self, other: Sample) -> Sample:
        """This and what came in after it, with the notes of both."""
        return replace(
            self,
            requests=self.requests + other.requests,
            errors=self.errors + other.errors,
            client_errors=self.client_errors + other.client_errors,
            latency=self.latency.plus(other.latency),
            seconds=self.seconds + other.seconds,
            notes=tuple(dict.fromkeys((*self.notes, *other.notes))),
        )


@dataclass(frozen=True)
class Pieces:
    """The samples of a window in short pieces, one after the other, a second or so each: they show whether errors come
    one by one or together. Empty: nobody knows, each request counts for itself.
    """

    stable: tuple[Sample, ...] = ()
    candidate: tuple[Sample, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What a candidate must keep to. `analysis.thresholds` reads them from text (`1%`, `500ms`).

    The limits are of the candidate alone, and hold while stable keeps to them; the increases are against stable,
    whatever its own numbers are, as a difference or, `times`, as a factor of stable's number: the factor where both are
    given. None: no such test.
    """

    max_error_rate: float | None = None
    """Greatest share of failed requests, 0 to 1."""
    max_p95: float | None = None
    """Greatest 95th percentile of the latency, in milliseconds."""
    max_p99: float | None = None
    """Greatest 99th percentile of the latency, in milliseconds."""
    max_error_increase: float | None = 0.01
    """How much more of its requests than of stable's may fail, as a difference of the two shares, 0 to 1."""
    max_error_times: float | None = None
    """How many times stable's share of failed requests the candidate's may be; at least 1."""
    max_4xx_rate: float | None = None
    """Greatest share of requests that are answered with a status of 400 to 499, 0 to 1."""
    max_4xx_increase: float | None = 0.05
    """How much more of its requests than of stable's may be answered so, as a difference of the two shares, 0 to 1."""
    max_4xx_times: float | None = None
    max_p95_increase: float | None = 100.0
    """How much slower than stable's its 95th percentile may be, in milliseconds."""
    max_p95_times: float | None = None
    min_requests: int = 450
    """Requests that each judged track must have had before the candidate passes; at least 1."""
    level: float = 0.05
    """Probability, at most, that a rollout is failed at any of its looks although its candidate is within all limits
    and increases, or as bad as stable; above 0, below 1.
    """


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One test of one metric."""

    metric: str
    """`error rate`, `4xx rate`, either of them `against stable`, `p95`, `p99`, `p95 against stable`, or `check <name>`.
    """
    outcome: Outcome
    """`inconclusive`: no verdict by this test, so none at all, unless another one failed. A comparison that had nothing
    to compare has no `p_value` either, and other tests decide.
    """
    reason: str
    """One sentence with the numbers."""
    stable: float | None = None
    """Stable's number: a share from 0 to 1, or milliseconds. None: not known, or not compared."""
    candidate: float | None = None
    limit: float | None = None
    """What the candidate's number was held against, in the same unit."""
    p_value: float | None = None
    """Probability, at most, of numbers at least as bad from a candidate that keeps to the limit. Errors that came
    together count as one.
    """
    level: float | None = None
    """The p-value at or below which the test fails."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the candidate may go on, after one look."""

    outcome: Outcome
    """`passed`: nothing speaks against the next step. `failed`: at least one finding failed. `inconclusive`: no or too
    few requests, or no times where a latency has a limit, and nothing failed: never taken for a pass.
    """
    findings: tuple[Finding, ...] = ()
    reasons: tuple[str, ...] = ()
    """Why, in sentences for people, the decisive ones first."""
    stable: Sample | None = None
    """What was judged; None: stable had no share, and was not compared."""
    candidate: Sample = field(default_factory=Sample)


class Source(Protocol):
    """Where samples come from. Made by `analysis.sources.source`.

    A window begins with `begin` and lasts until the next one; `read` may be called as often as wanted, every second or
    two for a live view, and each time says what happened since `begin`. The last `read` before a verdict is the
    window's. (Reading often also keeps the loss small when a gateway begins anew.) One thread at a time. Every call
    ends within `CALL_SECONDS`.
    """

    @property
    def name(self) -> str:
        """What it is called on the command line and in the report."""
        ...

    def begin(self, service: Service) -> None:
        """Begin a window over the tracks that the service has now (name, revision, shares, tag URLs as in the stack's
        outputs: `status.wanted`). Raises AnalysisError when the source cannot be reached.
        """
        ...

    def read(self) -> Mapping[str, Sample]:
        """The sample of each track since `begin`, by the track's name; one without requests is there with 0. Raises
        AnalysisError when the source cannot be reached.
        """
        ...

    def close(self) -> None:
        """Let go of connections and threads. Harmless when called twice, or without `begin`."""
        ...


@runtime_checkable
class Coarse(Protocol):
    """A source whose latencies may come in wide buckets."""

    def bounds(self) -> tuple[float, ...]:
        """The bounds of the buckets in milliseconds, rising; empty: fine enough for any limit. After `begin`."""
        ...


CALL_SECONDS = 15.0
"""Longest time that a call of a source takes, in seconds."""


class Check(Protocol):
    """A further question with a yes or a no: a command, or a URL. Made by `analysis.checks.check`."""

    @property
    def name(self) -> str:
        """What is asked, as the user wrote it."""
        ...

    def run(self, environ: Mapping[str, str]) -> Finding:
        """Ask once; bounded in time. What cannot be asked at all (no such command, no connection) is a no, with its
        reason.

        environ: variables that a command gets beside the tool's own (service, track, version, URL).
        """
        ...

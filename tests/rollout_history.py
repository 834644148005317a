"""Histories of rollouts for the tests of the report: the requests are drawn, the verdicts are the analysis' own."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from analysis.history import Ended, Event, Judged, Measured, Noted, Shared, Started
from analysis.model import Sample, Thresholds, Verdict
from analysis.verdict import judge
from status.counters.histogram import Histogram

LIMITS = Thresholds(max_error_rate=0.01, max_p95=500, min_requests=150)
BEGINNING = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
SERVICE = "notifications-service"
BEFORE = {"stable": {"version": "v1.0.0"}}
AFTER = {"stable": {"version": "v1.1.0"}}


@dataclass
class Recorder:
    """Draws a rollout second by second."""

    steps: Sequence[int]
    interval: int
    errors: float
    """Share of the candidate's requests that fail."""
    slower: float = 0.0
    """Milliseconds that its requests take longer."""
    rate: int = 60
    """Requests a second."""
    seed: int = 1
    events: list[Event] = field(default_factory=list)
    _now: datetime = BEGINNING

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self.events.append(
            Started(
                at=self._now, rollout=f"{SERVICE}-20261123T140000", stack="dev", service=SERVICE,
                url=f"http://{SERVICE}.default.127.0.0.1.sslip.io", strategy="canary", stable_version="v1.0.0",
                candidate_version="v1.1.0", candidate="candidate", steps=tuple(self.steps),
                interval_seconds=self.interval, thresholds=LIMITS, looks=len(self.steps), sources=("gateway",),
                settings=BEFORE,
            )
        )  # fmt: skip

    def step(self, index: int, look: int = 1) -> Verdict:
        """One step: an update, its window, its verdict."""
        share = self.steps[index]
        self.share(share, index, f"step {index + 1} of {len(self.steps)}")
        window: list[Mapping[str, Sample]] = []
        for _ in range(self.interval):
            self._now += timedelta(seconds=1)
            window.append(self._second(share))
            self.events.append(Measured(at=self._now, seconds=1, samples=window[-1]))
        stable, candidate = (_sum([each[track] for each in window]) for track in ("stable", "candidate"))
        verdict = judge(stable if share < 100 else None, candidate, LIMITS, len(self.steps))
        self.events.append(Judged(at=self._now, step=index, look=look, verdict=verdict))
        return verdict

    def share(self, percent: int, step: int | None, why: str) -> None:
        """An update that gives the candidate a share."""
        self._now += timedelta(seconds=5.2)
        shares = {"stable": 100 - percent, "candidate": percent}
        self.events.append(Shared(at=self._now, step=step, shares=shares, seconds=5.2, why=why))

    def note(self, text: str) -> None:
        """Something else."""
        self.events.append(Noted(at=self._now, text=text))

    def end(self, ended: Ended) -> list[Event]:
        """The last event."""
        self.events.append(ended)
        return self.events

    @property
    def now(self) -> datetime:
        """The time in the history."""
        return self._now

    def _second(self, share: int) -> dict[str, Sample]:
        ours = sum(self._random.random() < share / 100 for _ in range(self.rate))
        return {
            "stable": self._sample(self.rate - ours, 0.001, 0),
            "candidate": self._sample(ours, self.errors, self.slower),
        }

    def _sample(self, requests: int, errors: float, slower: float) -> Sample:
        failed = sum(self._random.random() < errors for _ in range(requests))
        times = [round(self._random.lognormvariate(2.6, 0.7) + slower) + 0.0 for _ in range(requests)]
        return Sample(requests=requests, errors=failed, latency=Histogram.of(times), seconds=1)


def _sum(samples: Sequence[Sample]) -> Sample:
    latency = Histogram()
    for sample in samples:
        latency = latency.plus(sample.latency)
    return Sample(
        requests=sum(sample.requests for sample in samples),
        errors=sum(sample.errors for sample in samples),
        latency=latency,
        seconds=sum(sample.seconds for sample in samples),
        notes=("12 requests by a tag or of this tool are left out",),
    )


def promoted() -> list[Event]:
    """A healthy candidate, all the way."""
    recorder = Recorder((5, 25, 50, 100), 60, errors=0.001)
    assert [recorder.step(index).outcome for index in range(4)] == ["passed"] * 4
    recorder.share(100, None, "stable is v1.1.0 now")
    at, requests = recorder.now, 60 * 60 * 4
    return recorder.end(Ended(at=at, ending="promoted", settings=AFTER, user_requests=requests, user_errors=14))


def rolled_back() -> list[Event]:
    """One that answers 6 % errors, after a window without enough requests."""
    recorder = Recorder((5, 25, 50, 100), 60, errors=0.06, rate=12)
    assert recorder.step(0).outcome == "inconclusive"
    recorder.note("the tool was killed; resumed at step 1")
    recorder.rate = 80
    verdict = recorder.step(0, look=2)
    if verdict.outcome == "passed":
        verdict = recorder.step(1)
    assert verdict.outcome == "failed"
    recorder.share(0, None, "rolled back")
    ended = Ended(
        at=recorder.now, ending="rolled back", reasons=verdict.reasons, settings=BEFORE, user_requests=10_320,
        user_errors=31,
    )  # fmt: skip
    return recorder.end(ended)


def without_an_end() -> list[Event]:
    """One whose tool was killed in the middle of its first window; its names try to be markup."""
    recorder = Recorder((50, 100), 20, errors=0.0, rate=10)
    recorder.step(0)
    recorder.note("<script>alert('a|b')</script> & **more**")
    return recorder.events[:-12] + recorder.events[-1:]

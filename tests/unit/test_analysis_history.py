"""A history is what was written, line by line, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import AnalysisError
from analysis.history import Ended, Event, Judged, Measured, Noted, Shared, Started, event, line, read
from analysis.model import Sample, Thresholds, Verdict
from status.counters.histogram import Bucket, Histogram

TIMES = st.floats(0, 1e6)
SAMPLES = st.builds(
    Sample, latency=st.builds(Histogram, st.tuples(st.builds(Bucket, TIMES, TIMES, st.integers(1)))), seconds=TIMES
)
AWARE = st.datetimes(timezones=st.just(UTC))
ANY = st.one_of(
    st.builds(Noted, at=AWARE),
    st.builds(Shared, at=AWARE, seconds=st.none() | TIMES),
    st.builds(Measured, at=AWARE, seconds=TIMES, samples=st.dictionaries(st.text(), SAMPLES)),
    st.builds(
        Judged,
        at=AWARE,
        verdict=st.builds(Verdict, outcome=st.just("failed"), findings=st.just(()), stable=SAMPLES, candidate=SAMPLES),
    ),
)


@given(ANY)
def test_an_event_comes_back_as_it_was(given_event: Event) -> None:
    text = line(given_event)
    assert text.count("\n") == 1 and text.endswith("\n") and event(text) == given_event


def noted(text: str) -> Noted:
    """A note."""
    return Noted(at=datetime(2026, 11, 23, tzinfo=UTC), text=text)


def test_a_line_that_a_crash_cut_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text(line(noted("a")) + line(noted("b")) + line(noted("c"))[:-9])
    assert read(file) == (noted("a"), noted("b"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"kind": "notde", "at": "2026-11-23T00:00:00Z", "text": ""}', "line 2: not an event of a rollout"),
        ('{"kind": "noted", "at": "2026-11-23T00:00:00Z", "text": "", "more": 1}', "noted.more"),
        ('{"kind": "noted", "at": "2026-11-23T00:00:00Z"}', "noted.text"),
        ("nonsense", "line 2"),
    ],
)
def test_anything_else_is_a_clear_error(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text(line(noted("a")) + text + "\n")
    with pytest.raises(AnalysisError, match=told) as refused:
        read(file)
    assert str(file) in str(refused.value)


def test_a_history_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"No such file.*rollout start"):
        read(tmp_path / "history.jsonl")


def test_first_and_last_events_keep_the_settings() -> None:
    at, settings = datetime(2026, 11, 23, tzinfo=UTC), {"stable": {"version": "v1.0.0", "env": {"A": "1"}}}
    for given_event in (
        Ended(at=at, ending="rolled back", settings=settings, user_requests=10, user_errors=0),
        started(settings),
    ):
        found = event(line(given_event))
        assert isinstance(found, Started | Ended) and found.settings == settings


def started(settings: Mapping[str, object]) -> Started:
    """The first event of a canary."""
    return Started(
        at=datetime(2026, 11, 23, tzinfo=UTC), rollout="r", stack="dev", service="s", url="http://s", strategy="canary",
        stable_version="v1.0.0", candidate_version="v1.1.0", candidate="canary", steps=(5, 100), interval_seconds=60,
        thresholds=Thresholds(), looks=2, settings=settings,
    )  # fmt: skip

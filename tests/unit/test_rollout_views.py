"""What people, logs and scripts are told of a rollout, and the history that is kept of it."""

from __future__ import annotations

import errno
import io
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from analysis.history import Ended, Event, Judged, Measured, Noted, Shared, Started, event, line
from analysis.model import Sample, Thresholds, Verdict
from rollout.picture import Picture, sparkline, tree
from rollout.samples import between, totals
from rollout.views import Both, Journal, JsonLines, Lines, Screen
from status.counters.histogram import Histogram

AT = datetime(2026, 11, 23, 14, 20, tzinfo=UTC)


def measured(stable: int, candidate: int, errors: int = 0) -> Measured:
    """A reading: so many requests of each track."""
    bad = Sample(requests=candidate, errors=errors, latency=Histogram.of([8.0] * candidate))
    return Measured(at=AT, seconds=1, samples={"stable": Sample(requests=stable), "candidate": bad})


EVENTS: tuple[Event, ...] = (
    Started(
        at=AT,
        rollout="r1",
        stack="dev",
        service="frontend",
        url="http://frontend",
        strategy="canary",
        stable_version="v1.0.0",
        candidate_version="v1.1.0",
        candidate="candidate",
        steps=(25, 100),
        interval_seconds=60,
        thresholds=Thresholds(max_error_rate=0.01),
        looks=2,
    ),
    Shared(at=AT, step=0, shares={"stable": 75, "candidate": 25}, seconds=4.2, why="step 1 of 2"),
    measured(75, 25),
    measured(60, 40, 10),
    Noted(at=AT, text="somebody else updated the stack meanwhile"),
    Judged(at=AT, step=0, verdict=Verdict(outcome="failed", reasons=("error rate 15% (10 of 65)",))),
    Ended(at=AT, ending="rolled back", reasons=("error rate 15%",), user_requests=200, user_errors=10),
)


def drawn(events: tuple[Event, ...], left: float | None = None) -> str:
    """The tree of a rollout as text."""
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(tree(Picture.of(events), left))
    return console.export_text()


def test_a_tree_shows_wanted_and_observed_shares_errors_and_the_countdown() -> None:
    text = drawn(EVENTS[:4], left=12.4)
    assert "frontend v1.0.0 → v1.1.0  canary" in text and "step 1 of 2, verdict in 12 s" in text
    assert "candidate  wanted  25 %  observed  40 %" in text and "stable     wanted  75 %  observed  60 %" in text
    assert "errors   25.0 %  ▁█" in text and "p95      8.0 ms  ██" in text


def test_a_tree_of_the_end_says_why_with_the_numbers() -> None:
    text = drawn(EVENTS)
    assert "✗ step 1: error rate 15% (10 of 65)" in text
    assert "rolled back: error rate 15%; 10 of 200 requests failed" in text and "verdict in" not in text


def test_a_sparkline_rises_to_its_largest_value_and_leaves_out_what_is_unknown() -> None:
    assert sparkline([0, 1, None, 2]) == "▁▅ █" and sparkline([0, 0]) == "▁▁" and sparkline([]) == ""


def test_a_log_has_a_line_for_each_event_but_readings() -> None:
    out = io.StringIO()
    for each in EVENTS:
        Lines(out).event(each)
    lines = [text.partition("  ")[2] for text in out.getvalue().splitlines()]
    assert lines == [
        "frontend: canary from v1.0.0 to v1.1.0, steps 25 %, 100 %, 60 s each",
        "step 1 of 2: stable 75 %, candidate 25 % (update 4.2 s)",
        "somebody else updated the stack meanwhile",
        "step 1 failed: error rate 15% (10 of 65)",
        "rolled back: error rate 15%; 10 of 200 requests failed",
    ]


def test_a_script_gets_the_events_themselves() -> None:
    out = io.StringIO()
    for each in EVENTS:
        JsonLines(out).event(each)
    assert tuple(event(text) for text in out.getvalue().splitlines()) == EVENTS


def test_a_screen_is_redrawn_with_every_event() -> None:
    console = Console(width=120, file=io.StringIO(), force_terminal=True)
    with Screen(console, EVENTS[:2]) as screen:
        screen.tick(7)
        for each in EVENTS[2:]:
            screen.event(each)
    shown = console.file.getvalue()  # type: ignore[attr-defined] # it is the StringIO above
    assert "verdict in 7 s" in shown and "10 of 200 requests failed" in shown


def test_a_history_outlives_a_line_that_a_killed_tool_did_not_finish(tmp_path: Path) -> None:
    Both(Journal(tmp_path, "r1")).event(EVENTS[0])
    with (tmp_path / "r1.jsonl").open("a") as torn:
        torn.write('{"kind": "sha')
    journal = Journal(tmp_path, "r1")
    journal.event(EVENTS[1])
    assert tuple(journal.events()) == EVENTS[:2] and not list(Journal(tmp_path, "r2").events())


def test_readings_are_what_lies_between_and_add_up_to_the_users_requests() -> None:
    first = {"stable": Sample(requests=5, errors=1, latency=Histogram.of([1.0]), seconds=1)}
    then = {"stable": Sample(requests=9, errors=1, latency=Histogram.of([1.0, 2.0]), seconds=2)}
    found = between(first, then)["stable"]
    assert (found.requests, found.errors, found.seconds, found.latency) == (4, 0, 1, Histogram.of([2.0]))
    probes = Measured(at=AT, seconds=1, samples={"stable": Sample(requests=7, origin="probe")})
    assert totals((*EVENTS, probes)) == (200, 10)


class Full:
    """A view on a disk that is full for a while."""

    def __init__(self) -> None:
        self.full = True
        self.events: list[Event] = []

    def event(self, event: Event) -> None:
        """Keep it, or not."""
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.events.append(event)

    def tick(self, left: float) -> None:
        """A closed terminal."""
        raise BrokenPipeError(left)


@pytest.mark.parametrize("first", [True, False])
def test_a_view_that_fails_stops_nobody_and_is_told_once_to_the_others(first: bool) -> None:
    full, out = Full(), io.StringIO()
    both = Both(full, Lines(out)) if first else Both(Lines(out), full)
    both.tick(3)
    for each in EVENTS[:2]:
        both.event(each)
    full.full = False
    both.event(EVENTS[1])
    assert out.getvalue().count("Full: events are lost") == 1 and out.getvalue().count("step 1 of 2") == 2
    assert full.events == [EVENTS[1]], "it is written again once it can be"


def test_an_event_that_does_not_fit_on_the_disk_leaves_a_history_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, write = Journal(tmp_path, "r1"), os.write
    journal.event(EVENTS[0])
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, text: write(file, text[:10]))
        with pytest.raises(OSError, match="No space left"):
            journal.event(EVENTS[1])
    journal.event(EVENTS[1])
    assert tuple(journal.events()) == EVENTS[:2]


def test_who_only_reads_a_history_changes_nothing_of_it(tmp_path: Path) -> None:
    file = tmp_path / "r1.jsonl"
    file.write_text(line(EVENTS[0]) + '{"kind": "sha')
    before = file.read_bytes()
    assert tuple(Journal(tmp_path, "r1").events()) == EVENTS[:1] and file.read_bytes() == before

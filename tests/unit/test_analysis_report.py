"""The report: what it tells, that it tells nothing else, and that names which try to be markup stay names."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import AnalysisError
from analysis.history import Ended, Judged, Started, line
from analysis.report import html, markdown
from analysis.report.__main__ import main
from analysis.report.axes import clock
from analysis.report.chart import picture
from analysis.report.story import MOST_POINTS, story
from tests import rollout_history

VOID = ("meta", "path", "line", "br")


class Page(HTMLParser):
    """A page's texts and addresses; refuses tags that do not close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All texts."""
        return " ".join(" ".join(self.texts).split())


def test_a_rollback_tells_its_reasons_its_numbers_and_that_the_settings_are_back() -> None:
    events = rollout_history.rolled_back()
    judged = [event for event in events if isinstance(event, Judged)][-1]
    page, text = Page(html(events)).text, markdown(events)
    assert "✗ rolled back" in page and "rolled back" in text.splitlines()[0]
    for reason in judged.verdict.reasons:
        assert reason in page and reason in text
    numbers = judged.verdict.candidate
    assert f"{numbers.requests:,}" in page and f"{numbers.requests:,} / " in text
    assert "The same as before" in page and "The same as before" in text
    assert "10,320, 31 of them failed (0.3%)" in page and "10,320, 31 of them failed" in text


def test_a_promotion_shows_every_verdict_and_the_settings_that_changed() -> None:
    events = rollout_history.promoted()
    page, text = Page(html(events)).text, markdown(events)
    for step in range(1, 5):
        assert f"step {step} of 4" in page and f"Step {step} at" in text
    assert "− version: v1.0.0" in page and "+ version: v1.1.0" in page
    assert "-   version: v1.0.0\n+   version: v1.1.0" in text


def test_a_page_needs_no_network_and_runs_nothing() -> None:
    page = Page(html(rollout_history.rolled_back()))
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed"}
    assert not [name for name, _ in page.attributes if name in ("src", "href", "action") or name.startswith("on")]
    assert "url(" not in html(rollout_history.rolled_back()) and "@import" not in html(rollout_history.rolled_back())


def test_names_that_try_to_be_markup_stay_names() -> None:
    events = rollout_history.without_an_end()
    assert "<script>alert('a|b')</script> & **more**" in Page(html(events)).text
    assert isinstance(events[0], Started)
    named = [dataclasses.replace(events[0], service="a|b*<b>"), *events[1:]]
    assert "a\\|b\\*\\<b\\>" in markdown(named) and "<b>" not in html(named)


def test_a_history_that_just_stops_is_a_report_too() -> None:
    events = rollout_history.without_an_end()
    assert "not ended" in html(events) and "not ended" in markdown(events)
    assert "not ended" in html(events[:1]) and "There was none" in html(events[:1])


@settings(max_examples=20)
@given(st.integers(1, 300))
def test_any_part_of_a_history_can_be_told(length: int) -> None:
    events = rollout_history.promoted()[:length]
    Page(html(events))
    assert markdown(events).endswith("\n")


def test_what_is_no_rollout_is_a_clear_error() -> None:
    for events in ([], rollout_history.promoted()[1:]):
        with pytest.raises(AnalysisError, match="does not begin with the start of a rollout"):
            html(events)


def test_a_long_rollout_keeps_its_sums_in_a_picture_of_few_points() -> None:
    events = rollout_history.promoted()
    told = story(events)
    assert len(told.pieces) <= MOST_POINTS
    requests = sum(sample.requests for piece in told.pieces for sample in piece.samples.values())
    assert requests == 60 * 60 * 4, "putting pieces together loses nothing"


def test_the_lines_are_where_the_numbers_are() -> None:
    drawn = picture(story(rollout_history.promoted()))
    shares = {each.role: each.path for each in drawn.panels[0].lines}
    heights = [float(y) for _, y in re.findall(r"([\d.]+) ([\d.]+)", shares["candidate"])]
    top, bottom = drawn.panels[0].top, drawn.panels[0].bottom
    assert heights[0] == pytest.approx(bottom - 0.05 * (bottom - top), abs=0.1) and heights[-1] == top
    limit = drawn.panels[1].limit
    assert limit and top < limit.at < drawn.panels[1].bottom
    assert drawn.panels[2].limit is None and drawn.panels[2].remark == "limit 500ms, above the picture"
    assert [mark.outcome for mark in drawn.marks] == ["passed"] * 4


@pytest.mark.parametrize(("seconds", "text"), [(5, "0:05"), (65.4, "1:05"), (3599.6, "1:00:00"), (7325, "2:02:05")])
def test_a_duration_reads_as_a_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_the_command_writes_both(tmp_path: Path) -> None:
    history, page, text = (tmp_path / name for name in ("h.jsonl", "r.html", "r.md"))
    history.write_text("".join(line(event) for event in rollout_history.rolled_back()))
    assert main([str(history), "--html", str(page), "--markdown", str(text)]) == 0
    assert page.read_text() == html(rollout_history.rolled_back())
    assert text.read_text() == markdown(rollout_history.rolled_back())


def test_the_command_tells_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history = tmp_path / "h.jsonl"
    assert main([str(history)]) == 1
    history.write_text("".join(line(event) for event in rollout_history.promoted()))
    assert main([str(history), "--html", str(tmp_path / "no" / "r.html")]) == 1
    told = capsys.readouterr().err.splitlines()
    assert "No such file" in told[0] and "cannot be written" in told[1]


def test_an_end_before_the_last_event_is_the_end() -> None:
    events = rollout_history.rolled_back()
    end = events[-1]
    assert isinstance(end, Ended)
    later = dataclasses.replace(events[-2], at=end.at + timedelta(seconds=9))
    assert story([*events, later]).outcome == "rolled back"

"""What goes wrong beside a rollout: hands on its settings, updates and readings that fail for a moment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from analysis import AnalysisError
from analysis.history import Ended, Judged, Measured, Noted
from analysis.model import Sample
from rollout import RolloutError, machine, transient
from rollout.update import Order, Update, UpdateError
from rollout.window import MOST_TOLD
from rollout.wishes import Wish
from settings.rollouts import Rollout
from tests.unit.rollout_world import BEFORE, NOTIFICATIONS, World, world
from tests.unit.test_rollout_drive import PLAN, PROMOTED, begun, phase


def notes(there: World) -> str:
    """All notes of a history."""
    return "\n".join(event.text for event in there.events if isinstance(event, Noted))


def edited(there: World) -> None:
    """Somebody changes the candidate's share by hand, at the first look for a wish."""
    asked = there.wish

    def wish() -> Wish | None:
        there.file.write_text(there.file.read_text().replace("percent: 5\n", "percent: 7\n"))
        return asked()

    there.wish = wish  # type: ignore[method-assign] # it stands in


class Failing(World):
    """A world whose next so many updates fail once the candidate is gone."""

    failures = 0
    message = "error: the API server is away"

    def up(self, order: Order) -> Update:
        """See World."""
        if self.failures and self.rollout().percent == 0:
            self.failures -= 1
            raise UpdateError(self.message)
        return super().up(order)


def failing(folder: Path, failures: int) -> Failing:
    """A world of that kind, before any rollout, whose first verdict is bad."""
    there = Failing(world(folder).file, ["failed"])
    there.failures = failures
    return there


def test_a_way_back_is_tried_again_and_says_what_the_candidate_still_has(tmp_path: Path) -> None:
    there = failing(tmp_path, 4)
    assert phase(begun(there)) == "rolledBack" and there.updates[-1] == {"stable": ("v1.0.0", 100)}
    assert notes(there).count("candidate still has 5 percent: the update failed, and is tried again in") == 4
    assert "the API server is away" in notes(there)
    assert there.now == 10 + 2 + 4 + 8 + 16


def test_a_way_back_that_fails_on_and_on_is_an_error_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert transient.WAY_BACK_SECONDS >= 3600, "it is hours, and a test has not the time to write so many settings"
    monkeypatch.setattr(transient, "WAY_BACK_SECONDS", 300.0)
    there = failing(tmp_path, 10**6)
    with pytest.raises(UpdateError, match="rollout resume"):
        begun(there)
    assert 300 <= there.now - 10 <= 360


def test_a_bad_verdict_leads_back_whatever_was_changed_by_hand_and_it_is_told(tmp_path: Path) -> None:
    there = world(tmp_path, ["failed"])
    edited(there)
    assert phase(begun(there)) == "rolledBack" and there.entry() == BEFORE
    assert "changed by hand" in notes(there) and '"percent": 7' in notes(there), "what was overwritten is lost"


def test_an_abort_from_elsewhere_leads_back_whatever_was_changed_by_hand(tmp_path: Path) -> None:
    answers: list[str] = []
    there = world(tmp_path, wishes={3: Wish(NOTIFICATIONS, "abort", answer=answers.append)})
    edited(there)
    assert phase(begun(there)) == "aborted" and there.entry() == BEFORE and answers == [""]


def test_a_wish_that_hands_on_the_settings_prevent_is_answered_so(tmp_path: Path) -> None:
    answers: list[str] = []
    there = world(tmp_path, wishes={3: Wish(NOTIFICATIONS, "promote", answer=answers.append)})
    edited(there)
    with pytest.raises(RolloutError, match="changed by hand"):
        begun(there)
    assert len(answers) == 1 and "changed by hand" in answers[0]


def test_an_update_that_fails_leads_back_whatever_was_changed_by_hand_and_it_is_told(tmp_path: Path) -> None:
    there = world(tmp_path)

    def up(_: Order) -> Update:
        there.file.write_text(there.file.read_text().replace("percent: 5\n", "percent: 7\n"))
        there.up = World.up.__get__(there)  # type: ignore[method-assign] # it stands in
        raise UpdateError("the candidate does not start")

    there.up = up  # type: ignore[method-assign, assignment] # it stands in
    assert phase(begun(there)) == "rolledBack" and there.entry() == BEFORE
    assert '"percent": 7' in notes(there), "what was overwritten is lost"


@pytest.mark.parametrize(
    ("verb", "end", "shares"),
    [("abort", "aborted", [100, -1]), ("promote", "promoted", [100, -1]), ("pause", "paused", [100, 100])],
)
def test_wishes_are_granted_between_the_two_updates_of_a_promotion(
    tmp_path: Path, verb: Any, end: str, shares: list[int]
) -> None:
    there = world(tmp_path)
    promoting = machine.promoted(machine.started(PLAN, "r1", there.entry()), full=True)
    answers: list[str] = []
    there.wishes[1] = Wish(NOTIFICATIONS, verb, answer=answers.append)
    driver = there.driver()
    driver.write(None, promoting)
    assert phase(driver.drive(promoting)) == end and there.shares == shares and answers == [""]
    assert there.entry() == BEFORE if end == "aborted" else PROMOTED


def test_the_settings_keep_the_first_line_of_a_reason_and_the_history_all(tmp_path: Path) -> None:
    there = world(tmp_path, broken={"v9.9.9"})
    told = "kubernetes:Configuration (candidate):\n  error: it is not ready\n    log of pod: password is hunter2"

    def up(_: Order) -> Update:
        there.up = World.up.__get__(there)  # type: ignore[method-assign] # it stands in
        raise UpdateError(told)

    there.up = up  # type: ignore[method-assign, assignment]
    ended = begun(there, Rollout(to="v9.9.9"))
    assert ended.progress.reason == "the update failed: it is not ready"
    assert "hunter2" not in there.file.read_text() and "hunter2" in notes(there)


def test_a_stack_whose_history_cannot_be_read_for_a_moment_stops_nobody(tmp_path: Path) -> None:
    there = world(tmp_path)

    def last() -> str | None:
        if not there.updates:
            return "0"
        raise RolloutError("the backend is away")

    there.last = last  # type: ignore[method-assign] # it stands in
    assert phase(begun(there)) == "promoted" and "the backend is away" in notes(there)


def unreadable(there: World, *times: float) -> None:
    """The source does not answer the first reading at each of these times."""
    read, left = there.read, list(times)

    def at() -> Mapping[str, Sample]:
        if there.now in left:
            left.remove(there.now)
            raise AnalysisError("gone for a moment")
        return read()

    there.read = at  # type: ignore[method-assign] # it stands in


def test_a_reading_that_fails_is_told_once_and_made_up_for_by_the_next(tmp_path: Path) -> None:
    there = world(tmp_path)
    unreadable(there, 3, 4, 6)
    assert phase(begun(there)) == "promoted" and there.now == 40, "an interval was thrown away"
    assert notes(there).count("gone for a moment") == 1
    counted = [e.samples["candidate"].requests for e in there.events if isinstance(e, Measured) and e.seconds]
    assert counted[:4] == [10, 10, 30, 20], "what came in meanwhile is lost"


def test_the_last_reading_of_an_interval_is_tried_again(tmp_path: Path) -> None:
    there = world(tmp_path)
    unreadable(there, 10)
    assert phase(begun(there)) == "promoted" and "no numbers" not in notes(there)
    assert there.now == 41, "an interval was thrown away"


def test_without_the_last_reading_there_are_no_numbers_and_the_next_window_begins_at_once(tmp_path: Path) -> None:
    there = world(tmp_path)
    unreadable(there, *range(10, 41))
    assert phase(begun(there)) == "promoted" and "no numbers" in notes(there)
    assert there.now == 40 + 40, "nobody looked for a whole interval"
    assert next(event.look for event in there.events if isinstance(event, Judged)) == 2


def test_a_window_that_does_not_begin_is_tried_again_within_the_interval(tmp_path: Path) -> None:
    there = world(tmp_path, [AnalysisError("away"), AnalysisError("away")])
    assert phase(begun(there)) == "promoted" and notes(there).count("away") == 1
    assert there.now == 40 + 5 + 5


def test_a_source_that_never_answers_pauses_after_the_intervals_of_the_plan(tmp_path: Path) -> None:
    there = world(tmp_path, [AnalysisError("away")] * 100)
    paused = begun(there)
    assert "away" in str(paused.progress.paused) and there.now == 20


def test_a_long_interval_is_told_in_some_hundred_readings_and_all_is_counted(tmp_path: Path) -> None:
    there = world(tmp_path)
    begun(there, Rollout(to="v1.1.0", strategy="ab", interval="1h"))
    told = [event for event in there.events if isinstance(event, Measured)]
    assert MOST_TOLD * 0.9 < len(told) <= MOST_TOLD + 2
    assert sum(event.samples["candidate"].requests for event in told) == 36_000


def test_a_history_that_cannot_be_read_leaves_the_requests_of_an_end_uncounted(tmp_path: Path) -> None:
    there = world(tmp_path)

    def history() -> tuple[()]:
        raise AnalysisError("line 7: not an event of a rollout")

    driver = there.driver()
    driver.history = history
    first = machine.started(PLAN, "r1", there.entry())
    driver.write(None, first)
    assert phase(driver.drive(first)) == "promoted" and "line 7" in notes(there)
    ended = there.events[-1]
    assert isinstance(ended, Ended) and ended.user_requests is None

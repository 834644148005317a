"""Histograms: percentiles, what is certainly above a limit, and differences."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from status.counters.counted import Counted, Tally
from status.counters.histogram import Bucket, Histogram, difference

TIMES = st.lists(st.integers(0, 3000).map(float), max_size=60)


@given(TIMES.filter(bool), st.sampled_from([0.01, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_of_single_times_is_one_of_them(times: list[float], share: float) -> None:
    expected = sorted(times)[max(0, math.ceil(share * len(times) - 1e-9) - 1)]
    assert Histogram.of(times).percentile(share) == expected


@given(TIMES, st.integers(0, 3000))
def test_single_times_above_a_limit_are_counted_exactly(times: list[float], limit: int) -> None:
    assert Histogram.of(times).over(limit) == sum(time > limit for time in times)


def test_of_a_bucket_with_the_limit_inside_nothing_is_certain() -> None:
    histogram = Histogram((Bucket(100, 250, 7), Bucket(250, 500, 3)))
    assert [histogram.over(limit) for limit in (99, 100, 101, 200, 249, 250, 251, 500)] == [10, 10, 3, 3, 3, 3, 0, 0]


def test_a_rank_that_no_time_has_is_an_error() -> None:
    with pytest.raises(ValueError, match="rank 3 of 2 times"):
        Histogram.of([1, 2]).at_rank(3)


@given(TIMES, TIMES)
def test_sums_and_differences_undo_each_other(some: list[float], more: list[float]) -> None:
    before, both = Histogram.of(some), Histogram.of(some).plus(Histogram.of(more))
    assert both == Histogram.of([*some, *more])
    assert difference(both.buckets, before.buckets) == Histogram.of(more)
    assert both.without(before) == Histogram.of(more)


@given(TIMES, TIMES)
def test_what_is_taken_out_is_taken_whole_as_far_as_there_is_any(some: list[float], others: list[float]) -> None:
    left = Histogram.of(some).without(Histogram.of(others))
    assert left.count == max(0, len(some) - len(others))


def test_what_another_clock_measured_is_taken_from_the_nearest_bucket() -> None:
    gateway = Histogram((Bucket(1, 2, 5), Bucket(300, 310, 5)))
    assert gateway.without(Histogram((Bucket(250, 300, 3),))) == Histogram((Bucket(1, 2, 5), Bucket(300, 310, 2)))


def test_a_histogram_that_shrank_began_anew() -> None:
    assert difference((Bucket(1, 2, 3),), (Bucket(1, 2, 4),)) is None
    assert difference((), (Bucket(1, 2, 1),)) is None


def test_counting_begins_with_the_first_reading_and_with_a_new_process() -> None:
    tally = Tally()
    tally.add({"old": {"r": Counted(100, 5)}})
    tally.add({"old": {"r": Counted(110, 6)}, "new": {"r": Counted(7, 1)}})
    tally.add({"new": {"r": Counted(9, 1)}})
    assert tally.totals["r"] == Counted(19, 2) and not tally.restarted and not tally.silent


def test_a_process_that_began_anew_counts_from_its_beginning_and_is_told() -> None:
    tally = Tally()
    tally.add({"gateway": {"r": Counted(100, 5)}})
    tally.add({"gateway": {"r": Counted(4, 1)}})
    tally.add({"gateway": {"r": Counted(6, 1)}})
    assert tally.totals["r"] == Counted(6, 1) and tally.restarted == {"gateway"}


def test_a_process_that_did_not_answer_at_first_counts_from_its_first_answer() -> None:
    tally = Tally()
    tally.add({"gateway": None})
    tally.add({"gateway": {"r": Counted(1000, 50)}})
    tally.add({"gateway": None})
    tally.add({"gateway": {"r": Counted(1003, 51)}})
    assert tally.totals["r"] == Counted(3, 1) and tally.silent == {"gateway"}

"""The exact probabilities against scipy's, and what the comparison of two rates promises."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, combine_pvalues

from analysis.exact import combined, excess, fewest, found_from, log_at_least, log_at_most

RATES = st.floats(0.0001, 0.9999)
TOTALS = st.integers(1, 5000)


@given(TOTALS, RATES, st.data())
def test_the_binomial_tails_are_scipys(total: int, rate: float, data: st.DataObject) -> None:
    seen = data.draw(st.integers(0, total))
    upper, lower = math.exp(log_at_least(seen, total, rate)), math.exp(log_at_most(seen, total, rate))
    assert upper == pytest.approx(binom.sf(seen - 1, total, rate), rel=1e-7, abs=1e-12)
    assert lower == pytest.approx(binom.cdf(seen, total, rate), rel=1e-7, abs=1e-12)


def test_the_binomial_tail_at_its_ends() -> None:
    assert log_at_least(0, 10, 0.0) == 0.0 and log_at_least(1, 10, 0.0) == -math.inf
    assert log_at_least(10, 10, 1.0) == 0.0 and log_at_least(11, 10, 1.0) == -math.inf
    assert -7000 < log_at_least(990, 1000, 0.001) < -6000, "what is nearly impossible is not zero"


@given(st.floats(1e-9, 1.0), st.floats(1e-9, 1.0))
def test_two_p_values_together_are_scipys(one: float, other: float) -> None:
    assert combined(math.log(one), math.log(other)) == pytest.approx(combine_pvalues([one, other]).pvalue, rel=1e-6)


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from([0.0, 0.01, 0.05]), st.data())
def test_no_rate_of_stable_excuses_a_candidate_more_than_is_said(
    ours: int, theirs: int, more: float, data: st.DataObject
) -> None:
    seen, there = data.draw(st.integers(0, ours)), data.draw(st.integers(0, theirs))
    found = excess((seen, ours), (there, theirs), lambda rate: rate + more)
    for rate in (there / theirs + step / 1000 for step in range(0, 500, 20)):
        if rate <= 1 and seen / ours > there / theirs + more:
            one, other = binom.sf(seen - 1, ours, min(1, rate + more)), binom.cdf(there, theirs, rate)
            assert found >= combine_pvalues([max(one, 1e-300), max(other, 1e-300)]).pvalue * (1 - 1e-3) - 1e-200


def test_a_million_requests_take_no_time() -> None:
    assert math.exp(log_at_least(10_500, 10**6, 0.01)) == pytest.approx(binom.sf(10_499, 10**6, 0.01), rel=1e-6)
    assert excess((10_900, 10**6), (10_000, 10**6), lambda rate: rate) < 1e-6
    assert excess((10_900, 10**6), (10_000, 10**6), lambda rate: 1.1 * rate) > 0.1
    assert excess((1, 0), (0, 5), lambda rate: rate) == 1.0, "nothing is no evidence"


@given(st.integers(1, 2000), st.floats(0.001, 0.5), st.floats(1e-6, 0.1))
def test_the_fewest_events_that_fail_and_the_rate_that_is_found(total: int, rate: float, level: float) -> None:
    least = fewest(total, rate, level)
    assert binom.sf(least - 1, total, rate) <= level * (1 + 1e-6)
    assert binom.sf(least - 2, total, rate) > level * (1 - 1e-6)
    found = found_from(least, total, 0.95)
    assert (found is None) == (least > total)
    if found is not None:
        assert binom.sf(least - 1, total, found) == pytest.approx(0.95, abs=1e-4)

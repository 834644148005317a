"""The exact tests against scipy's, and what their bounds promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, fisher_exact

from analysis.exact import binomial_at_least, fisher_greater, lower_rank, upper_rank

RATES = st.floats(0.0001, 0.9999)
TOTALS = st.integers(1, 5000)


@given(TOTALS, RATES, st.data())
def test_the_binomial_tail_is_scipys(total: int, rate: float, data: st.DataObject) -> None:
    seen = data.draw(st.integers(0, total))
    assert binomial_at_least(seen, total, rate) == pytest.approx(binom.sf(seen - 1, total, rate), rel=1e-7, abs=1e-12)


def test_the_binomial_tail_at_its_ends() -> None:
    assert binomial_at_least(0, 10, 0.0) == 1.0 and binomial_at_least(1, 10, 0.0) == 0.0
    assert binomial_at_least(10, 10, 1.0) == 1.0 and binomial_at_least(11, 10, 1.0) == 0.0


@settings(deadline=None)
@given(st.integers(1, 800), st.integers(1, 800), st.data())
def test_fishers_test_is_scipys(ours: int, theirs: int, data: st.DataObject) -> None:
    seen, other = data.draw(st.integers(0, ours)), data.draw(st.integers(0, theirs))
    table = [[seen, ours - seen], [other, theirs - other]]
    expected = fisher_exact(np.array(table), alternative="greater").pvalue
    assert fisher_greater((seen, ours), (other, theirs)) == pytest.approx(expected, rel=1e-7, abs=1e-12)


@given(TOTALS, st.floats(0.01, 0.99), st.floats(1e-6, 0.4))
def test_a_bound_is_wrong_no_more_often_than_its_level_and_as_near_as_that_allows(
    total: int, share: float, level: float
) -> None:
    rank = lower_rank(total, share, level)
    if rank is None:
        assert binom.cdf(0, total, share) > level, "even the smallest time is no bound"
    else:
        assert binom.cdf(rank - 1, total, share) <= level * (1 + 1e-9)
        assert rank == total or binom.cdf(rank, total, share) > level * (1 - 1e-9)
    rank = upper_rank(total, share, level)
    if rank is None:
        assert binom.sf(total - 1, total, share) > level, "even the greatest time is no bound"
    else:
        assert binom.sf(rank - 1, total, share) <= level * (1 + 1e-7)
        assert rank == 1 or binom.sf(rank - 2, total, share) > level * (1 - 1e-7)


def test_a_million_requests_take_no_time() -> None:
    assert binomial_at_least(10_500, 1_000_000, 0.01) == pytest.approx(binom.sf(10_499, 1_000_000, 0.01), rel=1e-6)
    assert fisher_greater((10_500, 1_000_000), (10_000, 1_000_000)) < 0.001

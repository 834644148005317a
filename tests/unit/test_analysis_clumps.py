"""Clumps: what comes together counts as one event, and the level of a step is spent once."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.clumps import counted
from analysis.model import Pieces, Sample, Thresholds
from analysis.spending import EARLY_LOOKS, Spending
from analysis.verdict import judge

LIMIT = Thresholds(max_error_rate=0.01)


def pieces(errors: list[int], requests: int = 60) -> tuple[Sample, ...]:
    """Seconds with so many failed requests each."""
    return tuple(Sample(requests=requests, errors=number, seconds=1) for number in errors)


def whole(seconds: tuple[Sample, ...]) -> Sample:
    """All of them."""
    return Sample(requests=sum(s.requests for s in seconds), errors=sum(s.errors for s in seconds))


def test_independent_errors_are_no_clumps_and_those_that_come_together_are() -> None:
    generator = np.random.default_rng(5)
    alone = [int(n) for n in generator.binomial(60, 0.05, 60)]
    assert counted(sum(alone), 3600, [(n, 60) for n in alone]).clump < 2
    together = [20 if n % 20 == 0 else 0 for n in range(60)]
    count = counted(60, 3600, [(n, 60) for n in together])
    assert count.clump == pytest.approx(20, rel=0.2) and count.at_least[0] in (2, 3)


def test_a_clump_across_two_pieces_is_about_one() -> None:
    split = [10 if n % 20 in (0, 1) else 0 for n in range(60)]
    assert counted(60, 3600, [(n, 60) for n in split]).clump > 12


@pytest.mark.parametrize("known", [[], [(5, 10)], [(5, 10), (0, 10)], [(10, 10)] * 5, [(0, 10)] * 5])
def test_what_says_nothing_of_clumps_is_independent(known: list[tuple[int, int]]) -> None:
    assert counted(3, 50, known).clump == 1.0


def test_three_restarts_of_a_pod_are_no_failure_and_no_pass() -> None:
    seconds = pieces([20 if n in (7, 29, 48) else 0 for n in range(60)])
    verdict = judge(None, whole(seconds), LIMIT, 4, pieces=Pieces((), seconds))
    assert verdict.outcome == "inconclusive", "sixty errors of three faults are taken for sixty faults"
    assert "at a time, as one fault" in verdict.reasons[0]
    assert judge(None, whole(seconds), LIMIT, 4).outcome == "failed", "of which nobody says that they came together"


def test_a_version_that_goes_on_failing_fails_clumps_or_not() -> None:
    seconds = pieces([0] * 20 + [30] * 40)
    assert judge(None, whole(seconds), LIMIT, 4, pieces=Pieces((), seconds)).outcome == "failed"


def test_the_looks_of_a_step_spend_no_more_than_its_level() -> None:
    spending, shares = Spending(), []
    for _ in range(20):
        shares += [spending.early() for _ in range(EARLY_LOOKS + 3)]
        shares.append(spending.end())
    assert sum(shares) <= 1.0 + 1e-9 and max(shares) == shares[EARLY_LOOKS + 3] > 0.5
    assert shares[EARLY_LOOKS] == 0.0, "no level is left for more looks than planned"

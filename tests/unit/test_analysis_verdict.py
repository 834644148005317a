"""Verdicts: what fails a candidate, what does not, and what is no verdict."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.model import Finding, Pieces, Sample, Thresholds
from analysis.thresholds import milliseconds, rate, rate_text, time_text
from analysis.verdict import failing, judge
from status.counters.histogram import Bucket, Histogram

LIMITS = Thresholds(max_error_rate=0.01, max_p95=500, max_p99=1000, min_requests=100)
LOOKS = 4


def sample(requests: int, errors: int = 0, slow: int = 0, fast: float = 5.0, late: float = 700.0) -> Sample:
    """Requests of which some fail, and some take as long as `late`."""
    times = [fast] * (requests - slow) + [late] * slow
    return Sample(requests=requests, errors=errors, latency=Histogram.of(times), seconds=60)


def failed(stable: Sample | None, candidate: Sample, limits: Thresholds = LIMITS) -> set[str]:
    """The metrics that fail."""
    return {f.metric for f in judge(stable, candidate, limits, LOOKS).findings if f.outcome == "failed"}


def test_a_healthy_candidate_passes_and_the_numbers_are_told() -> None:
    verdict = judge(sample(1000, 2), sample(500, 1), LIMITS, LOOKS)
    assert verdict.outcome == "passed" and len(verdict.findings) == len(verdict.reasons) == 6
    assert "error rate 0.2% (1 of 500), at most 1% wanted" in verdict.reasons[0]
    assert {f.level for f in verdict.findings} == {0.05 / LOOKS / 6}


def test_five_percent_errors_fail_and_the_reasons_come_first() -> None:
    verdict = judge(sample(6000, 6), sample(300, 15), LIMITS, LOOKS)
    assert verdict.outcome == "failed"
    assert {f.metric for f in verdict.findings if f.outcome == "failed"} == {"error rate", "error rate against stable"}
    assert (
        "5% (15 of 300), at most 1% wanted" in verdict.reasons[0] and "stable's 0.1% (6 of 6000)" in verdict.reasons[1]
    )


def test_a_handful_of_slow_requests_fails_nothing() -> None:
    assert not failed(sample(1000), sample(100, slow=7)), "7 of 100 are credible where 5 are allowed"
    assert failed(sample(1000), sample(100, slow=40)) == {"p95", "p95 against stable"}
    assert failed(sample(1000), sample(1000, slow=40, late=1500)) == {"p99"}


def test_a_candidate_slower_by_300_ms_fails_although_it_keeps_to_its_limit() -> None:
    assert failed(sample(2000), sample(200, slow=200, late=305)) == {"p95 against stable"}


def test_a_difference_that_is_tolerated_fails_nothing_however_significant() -> None:
    against = Thresholds(max_error_increase=0.01, max_p95_increase=100)
    assert not failed(sample(10**6, 100), sample(10**6, 900), against)
    assert not failed(sample(3000), sample(3000, slow=3000, late=100), against)
    assert failed(sample(10**5, 1000), sample(10**5, 2500), against) == {"error rate against stable"}


def test_a_single_error_of_few_requests_fails_nothing() -> None:
    few = dataclasses.replace(LIMITS, min_requests=10)
    assert judge(sample(200), sample(10, 1), few, LOOKS).outcome == "passed", "a bare threshold would fail 10 %"


def test_no_traffic_is_no_verdict() -> None:
    verdict = judge(Sample(), Sample(), LIMITS, LOOKS)
    assert (verdict.outcome, verdict.reasons) == ("inconclusive", ("no traffic: not one request came in",))
    assert not verdict.findings


@pytest.mark.parametrize(
    ("stable", "candidate", "reason"),
    [
        (1000, 99, "the candidate got 99 requests, at least 100 wanted to pass"),
        (1000, 0, "the candidate got no request, at least 100 wanted to pass"),
        (1, 1000, "stable got 1 request, at least 100 wanted to pass"),
    ],
)
def test_too_few_requests_are_no_verdict(stable: int, candidate: int, reason: str) -> None:
    verdict = judge(sample(stable), sample(candidate), LIMITS, LOOKS)
    assert (verdict.outcome, verdict.reasons) == ("inconclusive", (reason,))


def test_without_stable_the_limits_alone_hold() -> None:
    verdict = judge(None, sample(1000), LIMITS, LOOKS)
    assert (verdict.outcome, [f.metric for f in verdict.findings]) == ("passed", ["error rate", "p95", "p99"])
    assert failed(None, sample(1000, 50)) == {"error rate"}


def test_too_few_times_to_compare_are_said_so() -> None:
    few = dataclasses.replace(LIMITS, min_requests=20)
    verdict = judge(sample(30), sample(30), few, LOOKS)
    assert verdict.outcome == "passed"
    assert "30 times of stable are too few to find any fault" in verdict.reasons[-1], "what was not tested is told"


def test_a_limit_of_the_latency_without_a_measured_time_is_no_verdict() -> None:
    timeless = Sample(requests=1000)
    verdict = judge(None, timeless, Thresholds(max_p95=100), LOOKS)
    assert (verdict.outcome, verdict.reasons) == (
        "inconclusive",
        ("p95 unknown, at most 100ms wanted: not one request's time was measured",),
    )
    assert judge(None, timeless, Thresholds(max_error_rate=0.01), LOOKS).outcome == "passed", "no time was asked for"
    assert judge(sample(1000), timeless, Thresholds(), LOOKS).outcome == "passed", "a comparison alone decides nothing"
    assert failed(None, Sample(requests=1000, errors=500)) == {"error rate"}, "what failed has failed"
    assert judge(None, Sample(requests=1000, errors=500), LIMITS, LOOKS).outcome == "failed"


def test_a_check_that_says_no_fails_without_any_traffic() -> None:
    no = Finding(metric="check smoke", outcome="failed", reason="check smoke says no (exit code 1)")
    yes = Finding(metric="check smoke", outcome="passed", reason="check smoke says yes (exit code 0)")
    assert judge(None, Sample(), LIMITS, LOOKS, [no]).reasons == (no.reason,)
    assert judge(None, Sample(), LIMITS, LOOKS, [no]).outcome == "failed"
    assert judge(None, Sample(), LIMITS, LOOKS, [yes]).outcome == "inconclusive", "a yes is no traffic"
    assert judge(None, sample(1000), LIMITS, LOOKS, [yes]).findings[-1] == yes


def test_a_check_that_could_not_be_asked_is_no_pass() -> None:
    unknown = Finding(metric="check depth", outcome="inconclusive", reason="check depth: no Prometheus answers")
    verdict = judge(None, sample(1000), LIMITS, LOOKS, [unknown])
    assert (verdict.outcome, verdict.reasons) == ("inconclusive", (unknown.reason,))


def test_a_failure_that_is_over_is_none_before_the_end() -> None:
    def track(*errors: int) -> tuple[Sample, ...]:
        return tuple(Sample(requests=50, errors=number, seconds=1) for number in errors)

    limit = Thresholds(max_error_rate=0.01)
    over, on = track(50, 50, 0, 0, 0, 0), track(0, 0, 50, 50, 50, 50)
    assert failing(False, limit, LOOKS, Pieces((), track(50, 50, 50))) is not None
    assert failing(False, limit, LOOKS, Pieces((), on)) is not None
    assert failing(False, limit, LOOKS, Pieces((), over)) is None, "a cold start fails a candidate by itself"
    assert failing(False, limit, LOOKS, Pieces((), track(50, 50))) is None, "two pieces say nothing of clumps"
    assert failing(True, limit, LOOKS, Pieces(track(50, 50, 50), track(50, 50, 50))) is None, "both fail"


def test_without_a_look_there_is_no_level() -> None:
    with pytest.raises(ValueError, match="0 looks given"):
        judge(None, sample(1000), LIMITS, 0)


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 100))
def test_one_more_error_never_makes_a_candidate_better(stable: int, candidate: int, more: int) -> None:
    before, after = candidate, min(400, candidate + more)
    if failed(sample(400, stable), sample(400, before)):
        assert failed(sample(400, stable), sample(400, after))


@pytest.mark.parametrize(("text", "value"), [("1%", 0.01), ("0.5%", 0.005), ("100%", 1.0), ("0%", 0.0)])
def test_a_share_has_its_unit(text: str, value: float) -> None:
    assert rate(text) == pytest.approx(value) and rate_text(value) == text


@pytest.mark.parametrize(("text", "value"), [("500ms", 500.0), ("1.5s", 1500.0), ("0.5ms", 0.5)])
def test_a_time_has_its_unit(text: str, value: float) -> None:
    assert milliseconds(text) == value and milliseconds(time_text(value)) == value


@pytest.mark.parametrize("text", ["1", "0.01", "101%", "-1%", "1 %", "%", "", "1ms", "١%"])
def test_a_share_without_its_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="wanted") as refused:
        rate(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize("text", ["500", "0ms", "-5ms", "1m", "5%", "ms", ""])
def test_a_time_without_its_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="wanted"):
        milliseconds(text)


def refused(requests: int, client_errors: int) -> Sample:
    """Requests of which some are answered with a status 4xx."""
    return Sample(requests=requests, client_errors=client_errors)


def test_ninety_nine_failed_requests_of_ninety_nine_are_a_verdict() -> None:
    verdict = judge(sample(1000), sample(99, 99), LIMITS, LOOKS)
    assert verdict.outcome == "failed", "a failure needs no number of requests"
    assert "error rate 100% (99 of 99)" in verdict.reasons[0]
    assert judge(None, sample(3, 3), LIMITS, LOOKS).outcome == "failed"
    assert judge(None, sample(3, 1), LIMITS, LOOKS).outcome == "inconclusive"


def test_a_candidate_within_the_margin_is_excused_by_chance() -> None:
    compared = Thresholds(max_p95_increase=None, max_4xx_increase=None)
    assert not failed(sample(4000, 4), sample(4000, 46), compared), "1.15 % is credible where 1.1 % is tolerated"
    assert failed(sample(4000, 4), sample(4000, 100), compared) == {"error rate against stable"}
    assert not failed(sample(4000), sample(4000, slow=220, late=106), Thresholds(max_p95_increase=100))
    assert failed(sample(4000), sample(4000, slow=300, late=106), Thresholds(max_p95_increase=100))


def test_an_outage_of_both_is_nobodys_fault() -> None:
    verdict = judge(sample(1000, 200), sample(1000, 205), LIMITS, LOOKS)
    assert verdict.outcome == "inconclusive", "the candidate is blamed for what stable has, too"
    assert "stable breaks this limit, too (200 of 1000): a fault of both is nobody's" in verdict.reasons[0]
    assert failed(sample(1000, 200), sample(1000, 400)) == {"error rate", "error rate against stable"}
    slow = judge(sample(1000, slow=300), sample(1000, slow=310), LIMITS, LOOKS)
    assert slow.outcome == "inconclusive" and "stable breaks this limit, too" in slow.reasons[0]


def test_a_factor_of_stables_number_is_a_comparison() -> None:
    doubled = Thresholds(max_p95_times=1.2, max_error_times=2.0)
    assert "p95 against stable" in failed(sample(2000, fast=8.0), sample(2000, fast=88.0), doubled), "11 times slower"
    assert not failed(sample(2000, fast=88.0), sample(2000, fast=98.0), doubled)
    assert failed(sample(9000, 9), sample(9000, 60), doubled) == {"error rate against stable"}
    assert not failed(sample(9000, 9), sample(9000, 20), doubled)
    assert "at most 1.2 times that wanted" in judge(sample(2000), sample(2000), doubled, LOOKS).reasons[-1]


def test_a_limit_inside_a_bucket_is_no_verdict_where_it_decides() -> None:
    wide = Sample(requests=2000, latency=Histogram((Bucket(0, 250, 1800), Bucket(250, 500, 200))))
    verdict = judge(None, wide, Thresholds(max_p95=300), LOOKS)
    assert verdict.outcome == "inconclusive", "a p95 of 450 ms passes where 300 are allowed"
    assert "a limit of 250ms or 500ms can be judged" in verdict.reasons[0]
    assert judge(None, wide, Thresholds(max_p95=500), LOOKS).outcome == "passed"
    assert judge(None, wide, Thresholds(max_p95=250), LOOKS).outcome == "failed"


def test_what_passes_says_which_fault_it_would_have_found() -> None:
    text = judge(None, sample(450, 2), Thresholds(max_error_rate=0.01), LOOKS).reasons[0]
    found = float(text.rpartition("; ")[2].partition("% would have been found")[0])
    assert 3 < found < 6
    bad = sum(judge(None, sample(400, n), Thresholds(max_error_rate=0.01), LOOKS).outcome != "failed" for n in range(8))
    assert bad == 8


def test_a_candidate_that_answers_404_to_users_fails() -> None:
    verdict = judge(refused(3000, 0), refused(3380, 3380), Thresholds(), LOOKS)
    assert verdict.outcome == "failed"
    assert "4xx rate 100% (3380 of 3380) against stable's 0% (0 of 3000), at most 5 points more" in verdict.reasons[0]


def test_clients_own_404s_fail_nobody() -> None:
    assert not failed(refused(3000, 900), refused(3000, 930), Thresholds()), "both answer a third of them so"
    assert not failed(refused(3000, 0), refused(3000, 3000), Thresholds(max_4xx_increase=None))


def test_a_limit_of_4xx_holds_without_stable() -> None:
    assert failed(None, refused(1000, 200), Thresholds(max_4xx_rate=0.1)) == {"4xx rate"}
    assert not failed(None, refused(1000, 100), Thresholds(max_4xx_rate=0.1))

"""The short form of the simulation, and that the figures in the documentation are those that were kept."""

from __future__ import annotations

import json

import numpy as np

from tests.simulation import figures
from tests.simulation.rollouts import NEAR, bound, failed, run
from tests.simulation.scenarios import GOOD, WORSE

SEED, ROLLOUTS, LOOKS = 7, 40, 60


def test_a_few_rollouts_of_good_candidates_are_hardly_ever_failed() -> None:
    results = run(GOOD, ROLLOUTS, SEED, alarms=True)
    alarms, rollouts = sum(r.counted for r in results), sum(r.rollouts for r in results)
    assert bound(alarms, rollouts) <= 0.05, f"{alarms} of {rollouts} rollouts of good candidates failed"


def test_a_few_steps_of_bad_candidates_are_hardly_ever_missed() -> None:
    results = run(WORSE, LOOKS, SEED, alarms=False)
    misses, looks = sum(r.counted for r in results), sum(r.rollouts for r in results)
    assert bound(misses, looks) <= 0.05, f"{misses} of {looks} steps missed a bad candidate"


def test_the_looks_that_are_not_judged_would_have_failed_nobody() -> None:
    for scenario in (GOOD[1], GOOD[7], WORSE[0]):
        judged, all_judged = (failed(scenario, np.random.default_rng(3), 6, near) for near in (NEAR, -1.0))
        assert judged == all_judged, scenario.name


def test_the_same_seed_gives_the_same_rollouts() -> None:
    assert run(WORSE[:1], 20, 3, alarms=False) == run(WORSE[:1], 20, 3, alarms=False)


def test_the_kept_figures_are_of_enough_rollouts_and_show_what_they_were_to_show() -> None:
    kept = json.loads(figures.FIGURES.read_text())
    assert {r["name"] for r in kept["false_alarms"]} == {s.name for s in GOOD}
    assert {r["name"] for r in kept["misses"]} == {s.name for s in WORSE}
    assert all(r["rollouts"] >= figures.LEAST_ROLLOUTS for r in (*kept["false_alarms"], *kept["misses"]))
    assert figures.broken(kept) == []


def test_the_documented_figures_are_the_kept_ones() -> None:
    document = figures.DOCUMENT.read_text()
    _, _, rest = document.partition(figures.BEGIN)
    assert rest.partition(figures.END)[0] == figures.table(json.loads(figures.FIGURES.read_text()))


def test_figures_that_show_too_much_are_told() -> None:
    kept = json.loads(figures.FIGURES.read_text())
    kept["false_alarms"][0]["counted"] = kept["false_alarms"][0]["rollouts"] // 10
    assert len(figures.broken(kept)) == 1 and "at most 5% wanted" in figures.broken(kept)[0]

"""The short form of the simulation, and that the figures in the documentation are those that were kept."""

from __future__ import annotations

import json

from tests.simulation import figures
from tests.simulation.rollouts import bound, run
from tests.simulation.scenarios import IDENTICAL, WORSE

SEED, ROLLOUTS, LOOKS = 7, 40, 60


def test_a_few_rollouts_of_identical_tracks_are_hardly_ever_failed() -> None:
    results = run(IDENTICAL, ROLLOUTS, SEED, alarms=True)
    alarms, rollouts = sum(r.counted for r in results), sum(r.rollouts for r in results)
    assert bound(alarms, rollouts) <= 0.05, f"{alarms} of {rollouts} rollouts of identical tracks failed"


def test_a_few_looks_at_five_points_more_errors_hardly_ever_miss_them() -> None:
    results = run(WORSE, LOOKS, SEED, alarms=False)
    misses, looks = sum(r.counted for r in results), sum(r.rollouts for r in results)
    assert bound(misses, looks) <= 0.05, f"{misses} of {looks} looks missed a difference of 5 points"


def test_the_same_seed_gives_the_same_rollouts() -> None:
    assert run(WORSE[:1], 20, 3, alarms=False) == run(WORSE[:1], 20, 3, alarms=False)


def test_the_kept_figures_are_of_enough_rollouts_and_show_what_they_were_to_show() -> None:
    kept = json.loads(figures.FIGURES.read_text())
    assert {r["name"] for r in kept["false_alarms"]} == {s.name for s in IDENTICAL}
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

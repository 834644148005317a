"""What a service's requests say of its shares: who answered, whether that fits, and when it changed. Pure."""

from __future__ import annotations

import collections
import math
from collections.abc import Mapping, Sequence

from tests.e2e.traffic import Probe, assert_share

CLEAR_CHANGE = 20
"""Points of percent that some share has to move for its moment to be told from the requests."""
_NEVER = 1e-6
"""Stands for the probability of an answer that a share excludes."""


def answered_by(probe: Probe, revisions: Mapping[str, int]) -> str:
    """The revision that answered, one of the given; the pod's name where none of them did."""
    return next((name for name in revisions if probe.pod.startswith(f"{name}-")), probe.pod)


def assert_shares(probes: Sequence[Probe], wanted: Mapping[str, int], what: str) -> None:
    """Every answer is from a revision that has a share, and each count lies in its exact binomial window.

    wanted: share in percent of each revision.
    """
    counts = dict(collections.Counter(answered_by(probe, wanted) for probe in probes if not probe.failure))
    strangers = {name: count for name, count in counts.items() if not wanted.get(name)}
    assert not strangers, f"{what}: answers from {strangers}, which have no share; wanted {dict(wanted)}"
    for revision, percent in wanted.items():
        try:
            assert_share(counts, revision, percent)
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from None


def change(probes: Sequence[Probe], before: Mapping[str, int], after: Mapping[str, int]) -> float | None:
    """The moment (`time.monotonic()`) that best divides the requests into those of the old shares and those of the new
    ones (maximum likelihood over the points between two requests); None when no share moved far enough to tell.

    before, after: share in percent of each revision.
    """
    moved = max(abs(after.get(name, 0) - before.get(name, 0)) for name in {**before, **after})
    if moved < CLEAR_CHANGE:
        return None
    ordered = sorted((probe for probe in probes if not probe.failure), key=lambda probe: probe.begun)
    gains = [_gain(answered_by(probe, {**before, **after}), before, after) for probe in ordered]
    best, moment, rest = 0.0, ordered[-1].begun, 0.0
    for probe, gain in zip(reversed(ordered), reversed(gains), strict=True):
        rest += gain
        if rest > best:
            best, moment = rest, probe.begun
    return moment


def onto(
    before: Mapping[str, Mapping[str, int]], after: Mapping[str, Mapping[str, int]], known: set[str], awake: set[str]
) -> str:
    """What the revisions that gained a share were before an `up`: `cold` if one of them had no pods, else `new` if one
    of them was not there, else `warm`.

    before, after: share in percent of each revision, by service.
    known, awake: revisions that were there before, and those of them that had pods.
    """
    gained = {
        name
        for service, shares in after.items()
        for name, percent in shares.items()
        if percent > before[service].get(name, 0)
    }
    if gained & known - awake:
        return "cold"
    return "new" if gained - known else "warm"


def _gain(revision: str, before: Mapping[str, int], after: Mapping[str, int]) -> float:
    """How much more likely an answer is under the new shares than under the old ones, as a logarithm."""
    old, new = (max(shares.get(revision, 0) / 100, _NEVER) for shares in (before, after))
    return math.log(new / old)

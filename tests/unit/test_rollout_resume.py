"""A tool that is killed at any point, and resumed: the same steps, and the same end."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from settings.rollouts import Rollout
from tests.unit.rollout_world import Killed, World, world
from tests.unit.test_rollout_drive import begun, resumed

PLANS = st.one_of(
    st.builds(
        lambda steps, patience: Rollout(to="v1.1.0", steps=(*sorted(steps), 100), interval="3s", patience=patience),
        st.sets(st.integers(1, 99), max_size=3),
        st.integers(0, 2),
    ),
    st.just(Rollout(to="v1.1.0", strategy="blueGreen", interval="3s")),
    st.just(Rollout(to="v1.1.0", strategy="ab", interval="3s")),
)


@given(plan=PLANS, step=st.integers(0, 3), bad=st.booleans(), lives=st.integers(0, 40))
def test_killed_anywhere_it_comes_to_the_same_end(plan: Rollout, step: int, bad: bool, lives: int) -> None:
    """The verdict depends on the step alone, as it does for a version that is good or bad."""
    with tempfile.TemporaryDirectory() as whole_folder, tempfile.TemporaryDirectory() as torn_folder:
        whole, torn = world(Path(whole_folder)), world(Path(torn_folder), lives=lives)
        for there in (whole, torn):
            there.judge = lambda there=there: _verdict(there, step, bad)  # type: ignore[method-assign, misc]
        end = begun(whole, plan)
        try:
            other = begun(torn, plan)
        except Killed:
            torn.lives = 10**9
            other = resumed(torn)
        assert other == end and torn.entry() == whole.entry() and torn.updates[-1] == whole.updates[-1]
        shares = list(dict.fromkeys(torn.shares))
        assert shares == list(dict.fromkeys(whole.shares)), "no step was left out, and none taken twice"


def _verdict(there: World, step: int, bad: bool) -> Any:
    there.live()
    state = there.rollout().state
    assert state is not None
    there.verdicts[:] = ["failed" if bad and state.step == step else "passed"]
    return World.judge(there)

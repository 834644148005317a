"""The way back needs nothing: neither a sound settings file nor a free backend, and it is claimed when it is there."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.history import Ended, Noted
from rollout import RolloutError, transient
from rollout.configuration import Configuration
from rollout.stopped import Stopped
from rollout.transient import LOCK_SECONDS, STEP_TRIES
from rollout.update import Order, Update, UpdateError
from rollout.wishes import Wish
from rollout.yaml_document import UnwritableError
from settings.rollouts import Rollout
from tests.unit.rollout_world import BEFORE, NOTIFICATIONS, World, made_with, world
from tests.unit.test_rollout_drive import PLAN, begun, phase
from tests.unit.test_rollout_other_hands import notes

STABLE = {"stable": ("v1.0.0", 100)}
SHORT = Rollout(to="v1.1.0", steps=(50, 100), interval="3s")
TYPO = "  knative-releases:readyWithin: 3x\n"
HALF = '  knative-releases:readyWithin: "3m\n'


def once(there: World, act: Callable[[], None]) -> None:
    """Somebody does something at the first look for a wish."""
    asked, done = there.wish, list[bool]()

    def wish() -> Wish | None:
        if not done:
            done.append(True)
            act()
        return asked()

    there.wish = wish  # type: ignore[method-assign] # it stands in


def failing(there: World, error: UpdateError, share: int, times: int = 10**9) -> list[Order]:
    """Updates to a share of the candidate fail so many times; -1: those without a candidate. The failed ones."""
    up, failed = there.up, list[Order]()

    def fails(order: Order) -> Update:
        config = yaml.safe_load(made_with(order.config)["services"])[NOTIFICATIONS]
        if config.get("tracks", {}).get("candidate", {}).get("percent", -1) == share and len(failed) < times:
            failed.append(order)
            raise error
        return up(order)

    there.up = fails  # type: ignore[method-assign] # it stands in
    return failed


def added(there: World, text: str) -> Callable[[], None]:
    """Somebody adds a line to the settings."""

    def add() -> None:
        there.file.write_text(there.file.read_text() + text)

    return add


def test_a_typo_elsewhere_in_the_settings_stops_neither_a_step_nor_the_way_back(tmp_path: Path) -> None:
    there = world(tmp_path, ["passed", "failed"])
    once(there, added(there, TYPO))
    assert phase(begun(there, SHORT)) == "rolledBack" and there.updates[-1] == STABLE
    assert there.entry() == BEFORE and TYPO in there.file.read_text()


def test_a_half_saved_file_waits_for_nobody_and_gets_its_settings_when_it_is_whole(tmp_path: Path) -> None:
    there = world(tmp_path, ["failed"])
    once(there, added(there, HALF))
    driver_sleeps = there.sleep

    def sleep(duration: float) -> None:
        driver_sleeps(duration)
        if there.updates[-1] == STABLE:  # the person saves only when the way back is made
            there.file.write_text(there.file.read_text().replace(HALF, ""))

    there.sleep = sleep  # type: ignore[method-assign] # it stands in
    assert phase(begun(there, SHORT)) == "rolledBack" and there.shares == [50, -1]
    assert there.entry() == BEFORE and phase(there.rollout()) == "rolledBack"
    assert "is no YAML" in notes(there) and "can be read again" in notes(there)


def test_a_file_that_stays_broken_is_an_error_that_claims_no_more(tmp_path: Path) -> None:
    there = world(tmp_path, ["failed"])
    once(there, added(there, HALF))
    with pytest.raises(RolloutError, match=r"still has an earlier state.*Do not run `pulumi up`.*rollout resume"):
        begun(there, SHORT)
    assert there.updates[-1] == STABLE, "the traffic went back all the same"


def test_a_file_that_is_gone_does_not_stop_the_way_back(tmp_path: Path) -> None:
    there, text = world(tmp_path, ["failed"]), list[str]()

    def away() -> None:
        text.append(there.file.read_text())
        there.file.unlink()

    once(there, away)
    sleep = there.sleep

    def back(duration: float) -> None:
        sleep(duration)
        if there.updates[-1] == STABLE:
            there.file.write_text(text[0])

    there.sleep = back  # type: ignore[method-assign] # it stands in
    assert phase(begun(there, SHORT)) == "rolledBack" and there.entry() == BEFORE


def test_an_edit_that_nobody_deployed_is_in_no_update_and_stays_in_the_file(tmp_path: Path) -> None:
    there = world(tmp_path, ["failed"])
    edit = "  knative-releases:kafka: {topic: edited}\n"
    there.file.write_text(there.file.read_text() + edit)
    assert phase(begun(there, SHORT)) == "rolledBack"
    assert "topic: edited" in there.file.read_text() and "edited" not in there.config, "somebody's edit was deployed"
    assert all("kafka" not in made_with(order.config) for order in there.orders)


def test_what_somebody_deployed_meanwhile_stays_deployed(tmp_path: Path) -> None:
    there = world(tmp_path, ["passed", "failed"])

    def deploy() -> None:
        there.config = there.config.replace('"config": {', '"config": {"knative-releases:readyWithin": "4m", ')
        there.version += 1

    once(there, deploy)
    assert phase(begun(there, SHORT)) == "rolledBack"
    assert '"readyWithin": "4m"' in there.config.replace("knative-releases:", "") and "adopted" in notes(there)


def test_updates_name_the_services_own_resources_and_no_other(tmp_path: Path) -> None:
    there = world(tmp_path, ["failed"])
    begun(there, SHORT)
    for order in there.orders:
        names = {target.rpartition("::")[2] for target in order.targets}
        tracks = {f"{NOTIFICATIONS}-candidate", f"{NOTIFICATIONS}-canary"}
        assert names == {NOTIFICATIONS, *tracks, "cluster-guard"}, names


def test_an_editor_that_saves_what_it_read_before_a_step_is_written_over(tmp_path: Path) -> None:
    there = world(tmp_path)
    first: list[str] = []

    def stale(order: Order) -> Update:
        first.append(there.file.read_text())
        update = World.up(there, order)
        if len(first) == 2:
            there.file.write_text(first[0])
        return update

    there.up = stale  # type: ignore[method-assign] # it stands in
    assert phase(begun(there, SHORT)) == "promoted" and phase(there.rollout()) == "promoted"


@pytest.mark.parametrize("kind", ["locked", "transient", "unknown"])
def test_the_way_back_is_tried_again_whatever_the_error(tmp_path: Path, kind: Any) -> None:
    there = world(tmp_path, ["failed"])
    failing(there, UpdateError("it is locked, or so", kind), share=-1, times=8)
    assert phase(begun(there, SHORT)) == "rolledBack" and there.updates[-1] == STABLE
    assert notes(there).count("candidate still has 50 percent: the update failed, and is tried again in") == 8
    assert "again in 60 s: it is locked, or so" in notes(there), "pauses grow to a minute"


def test_a_way_back_that_no_further_try_helps_says_what_the_cluster_still_has(tmp_path: Path) -> None:
    there = world(tmp_path, ["failed"])
    tried = failing(there, UpdateError("error: incorrect passphrase"), share=-1)
    with pytest.raises(UpdateError, match=r"(?s)incorrect passphrase.*candidate 50 percent.*rollout resume"):
        begun(there, SHORT)
    assert len(tried) == 1


def test_a_transient_error_of_a_step_is_no_verdict(tmp_path: Path) -> None:
    there = world(tmp_path)
    failing(there, UpdateError("error: etcdserver: request timed out"), share=100, times=STEP_TRIES - 1)
    assert phase(begun(there, SHORT)) == "promoted" and there.shares == [50, 100, 100, -1]


@pytest.mark.parametrize(
    ("text", "seconds"), [("error: etcdserver: leader changed", 62), ("is locked by 1 lock(s)", LOCK_SECONDS)]
)
def test_a_step_that_cannot_be_made_pauses_and_says_nothing_of_the_candidate(
    tmp_path: Path, text: str, seconds: float
) -> None:
    there = world(tmp_path)
    failing(there, UpdateError(text, "locked" if "locked" in text else None), share=100)
    paused = begun(there, SHORT)
    assert phase(paused) == "paused" and there.shares == [50], "the traffic stays"
    assert "says nothing of the candidate" in str(paused.progress.paused)
    assert seconds <= there.now - 3 <= seconds + 60


def test_an_abort_does_not_wait_until_a_step_was_tried_again(tmp_path: Path) -> None:
    there, answers = world(tmp_path), list[str]()
    tried = failing(there, UpdateError("error: etcdserver: leader changed"), share=50)

    def answered(text: str) -> None:
        there.wishes.clear()
        answers.append(text)

    wish = Wish(NOTIFICATIONS, "abort", answer=answered)
    there.wishes = dict.fromkeys(range(3, 1000), wish)
    assert phase(begun(there, SHORT)) == "aborted" and answers == [""] and there.updates == [STABLE]
    assert len(tried) <= 2 and there.now < 10


def test_who_asks_for_an_abort_amid_a_way_back_hears_that_it_is_one(tmp_path: Path) -> None:
    there, answers = world(tmp_path, ["failed"]), list[str]()
    failing(there, UpdateError("away"), share=-1, times=3)
    asked = there.wish
    wish = Wish(NOTIFICATIONS, "abort", answer=answers.append)
    there.wish = lambda: wish if there.updates and phase(there.rollout()) == "rolledBack" and not answers else asked()  # type: ignore[method-assign]
    assert phase(begun(there, SHORT)) == "rolledBack" and answers == [""]


def test_the_cluster_has_to_report_what_was_wanted_before_anybody_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transient, "WAY_BACK_SECONDS", 60.0)
    there = world(tmp_path, ["failed"])
    reported = there.reported
    there.reported = lambda outputs: {"somebodys-revision": 100} if len(there.updates) > 1 else reported(outputs)  # type: ignore[method-assign]
    with pytest.raises(UpdateError, match=r"(?s)the cluster reports somebodys-revision 100 %; wanted .*stable"):
        begun(there, SHORT)
    assert not [event for event in there.events if isinstance(event, Ended)], "an end was claimed"
    assert [order.refresh for order in there.orders][:3] == [False, False, True], "an `up` alone changes nothing there"


def test_the_stack_has_to_export_what_was_wanted_before_anybody_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transient, "WAY_BACK_SECONDS", 60.0)
    there = world(tmp_path, ["failed"])
    outputs, exported = there.outputs, list[Any]()

    def stale() -> dict[str, Any]:
        exported.append(there.exported)
        return {**outputs(), "rollouts": exported[-1] if len(there.updates) < 2 else exported[0]}

    there.outputs = stale  # type: ignore[method-assign] # it stands in
    with pytest.raises(UpdateError, match="outputs say another state of the rollout"):
        begun(there, SHORT)
    assert not [event for event in there.events if isinstance(event, Ended)]


def test_a_signal_amid_a_step_says_what_is_left(tmp_path: Path) -> None:
    there = world(tmp_path)

    def stopped(order: Order) -> Update:
        if there.updates:
            raise Stopped(signal.SIGTERM)
        return World.up(there, order)

    there.up = stopped  # type: ignore[method-assign] # it stands in
    with pytest.raises(Stopped) as ended:
        begun(there, SHORT)
    assert "stable 50 percent" in ended.value.left and "candidate 50 percent" in ended.value.left
    assert isinstance(there.events[-1], Noted) and "stopped by SIGTERM at: step 2 of 2" in there.events[-1].text


@pytest.mark.parametrize(("verdict", "end"), [("failed", "rolledBack"), ("passed", None)])
def test_a_signal_amid_the_way_back_comes_after_it(tmp_path: Path, verdict: Any, end: str | None) -> None:
    there = world(tmp_path, [verdict])

    def told(order: Order) -> Update:
        update = World.up(there, order)
        return Update(**{**vars(update), "stopped": signal.SIGTERM if len(there.updates) == 2 else None})

    there.up = told  # type: ignore[method-assign] # it stands in
    if end:
        assert phase(begun(there, SHORT)) == end and isinstance(there.events[-1], Ended)
        assert there.orders[-1].finish, "a first signal would end it"
    else:
        with pytest.raises(Stopped):
            begun(there, SHORT)
        assert not there.orders[-1].finish


def test_what_a_plan_of_many_steps_changes_is_all_in_its_own_entries(tmp_path: Path) -> None:
    there = world(tmp_path)
    begun(there, PLAN)
    for order in there.orders:
        assert set(made_with(order.config)) == {"services", "rollouts"}


def test_an_abort_ends_the_update_of_a_step_that_is_under_way_and_no_other(tmp_path: Path) -> None:
    there = world(tmp_path, ["failed"])
    begun(there, SHORT)
    step, back = there.orders
    there.wishes = dict.fromkeys(range(1000), Wish(NOTIFICATIONS, "abort"))
    assert step.urgent() and not back.urgent(), "the way back is what an abort wants"
    there.wishes = dict.fromkeys(range(1000), Wish(NOTIFICATIONS, "pause"))
    assert not step.urgent(), "a pause waits until the step is whole"


def test_a_full_disk_does_not_stop_the_way_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = world(tmp_path, ["failed"])
    write, full = Configuration.write, list[bool]()

    def filled(self: Configuration, *entries: Any) -> None:
        if there.updates and there.updates[-1] != STABLE:
            full.append(True)
            raise UnwritableError("Pulumi.test.yaml cannot be written (No space left on device)")
        write(self, *entries)

    monkeypatch.setattr(Configuration, "write", filled)
    assert phase(begun(there, SHORT)) == "rolledBack" and there.entry() == BEFORE and full

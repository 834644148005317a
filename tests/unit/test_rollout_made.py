"""What an update of a rollout may change, what it is made with, and how it is seen that it was made."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from rollout import RolloutError, lock, stopped
from rollout.deployed import Deployed
from rollout.lock import Desk
from rollout.reported import difference
from rollout.stack import configured
from rollout.targets import targets
from rollout.wishes import Wish
from tests.unit.recording import ROOT, Recorded, record
from tests.unit.registration import Registration
from tests.unit.test_graph_existing import existing

SERVICE = "notifications-service"
CANDIDATE = {SERVICE: {"stable": {"version": "v1.0.0"}, "tracks": {"candidate": {"version": "v1.1.0", "percent": 5}}}}
HOLD = """
import sys, time
from pathlib import Path
from rollout.lock import Desk
with Desk(Path(sys.argv[1]), "dev.x").held():
    print("held", flush=True)
    time.sleep(60)
"""


def named(stack: str, tracks: list[str]) -> set[str]:
    """The URNs that an update names, without the `*` that makes each a pattern."""
    return {each.replace("*", "") for each in targets(stack, SERVICE, tracks)}


def urn(recorded: Recorded, resource: Registration) -> str:
    """A resource's URN as the engine makes it, of all its parents' types; the mocks' have the last one alone."""
    types = [resource.type]
    while parent := [each for each in recorded.resources if each.urn == resource.parent]:
        resource = parent[0]
        types.insert(0, resource.type)
    return f"urn:pulumi:test::knative-releases::{'$'.join(types)}::"


@pytest.mark.parametrize("stack", ["test", "company/test", "company/knative-releases/test"])
def test_targets_are_the_services_own_resources(small: Path, stack: str) -> None:
    recorded = record({"services": CANDIDATE}, small)
    assert recorded.error is None
    component = recorded.one("ReleasedService", SERVICE)
    wanted = {urn(recorded, each) + each.name for each in (component, *recorded.below(component))}
    assert wanted == {each for each in named(stack, ["candidate"]) if not each.endswith("-guard")}


@pytest.mark.parametrize(
    "made", [record, lambda settings, small: existing(small, **settings)], ids=["kind", "existing"]
)
def test_nothing_that_no_target_names_depends_on_a_candidate(small: Path, made: object) -> None:
    """Pulumi leaves what it should delete in the cluster, without an error, where something else depends on it."""
    recorded = made({"services": CANDIDATE}, small)  # type: ignore[operator]
    assert recorded.error is None
    candidate = recorded.one("Configuration", f"{SERVICE}-candidate").urn
    on_it = {urn(recorded, each) + each.name for each in recorded.resources if candidate in each.dependencies}
    assert on_it and on_it <= named("test", []), on_it - named("test", [])


def test_every_target_is_a_pattern_since_pulumi_refuses_one_that_it_has_never_heard_of() -> None:
    found = targets("dev", SERVICE, ["stable", "canary"])
    assert all(each.startswith("urn:pulumi:dev*::knative-releases::") and each.count("*") == 1 for each in found)
    assert not [each for each in found if each.endswith("-stable")], "stable is the Service's own"


def test_the_configuration_of_an_update_has_the_historys_values_and_secrets_as_they_are_encrypted() -> None:
    history = {
        "p:services": SimpleNamespace(secret=False, value='{"a": {"version": "1.10", "n": 1000000}}'),
        "p:canaryPercent": SimpleNamespace(secret=False, value="5"),
        "p:password": SimpleNamespace(secret=True, value=None),
        "p:gone": SimpleNamespace(secret=True, value=None),
    }
    saved = {"p:password": {"secure": "v1:x"}, "p:other": "typo", "p:services": {"a": {"version": 1.1}}}
    assert configured(history, saved) == {
        "p:services": {"a": {"version": "1.10", "n": 1000000}},
        "p:canaryPercent": "5",
        "p:password": {"secure": "v1:x"},
    }


def test_the_file_of_an_update_is_closed_to_others_and_has_one_service_changed(tmp_path: Path) -> None:
    deployed = Deployed(tmp_path / "deployed.yaml")
    deployed.keep({"encryptionsalt": "v1:s", "config": {"knative-releases:services": {"a": 1, "b": 2}}})
    deployed.put("a", {"version": "x"}, {"to": "y"})
    assert json.loads(deployed.file.read_text()) == {
        "encryptionsalt": "v1:s",
        "config": {
            "knative-releases:services": {"a": {"version": "x"}, "b": 2},
            "knative-releases:rollouts": {"a": {"to": "y"}},
        },
    }
    deployed.put("a", None, {})
    assert json.loads(deployed.file.read_text())["config"]["knative-releases:services"] == {"b": 2}
    assert stat.S_IMODE(deployed.file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("state", "shares", "told"),
    [
        ({"phase": "step"}, {"new": 5, "old": 95, "tagged": 0}, ""),
        ({"phase": "step"}, {"new": 5, "old": 95}, ""),
        ({"phase": "aborted"}, {"new": 5, "old": 95}, "another state of the rollout"),
        ({"phase": "step"}, {"old": 100}, "the cluster reports old 100 %; wanted new 5 %, old 95 %"),
        ({"phase": "step"}, {}, "the cluster reports no shares at all"),
    ],
)
def test_outputs_and_the_services_status_have_to_say_what_was_wanted(
    state: dict[str, str], shares: dict[str, int], told: str
) -> None:
    tracks = {"stable": {"revision": "old", "percent": 95}, "candidate": {"revision": "new", "percent": 5.0}}
    outputs = {"services": {"s": {"tracks": tracks}}, "rollouts": {"s": {"to": "v", "state": {"phase": "step"}}}}
    found = difference("s", outputs, state, shares)
    assert told in found and bool(told) == bool(found)


def test_a_driver_that_does_not_answer_is_ended_when_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "FORCE_SECONDS", 0.5)
    said: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGSTOP)  # ctrl-Z
        begun = time.monotonic()
        with Desk(tmp_path, "dev.x").held_or_granted(Wish("x", "abort"), said.append, force=True) as mine:
            assert mine and time.monotonic() - begun < 10
        assert holder.wait() == -signal.SIGKILL and any(str(holder.pid) in each for each in said)


def test_no_process_is_ended_that_has_not_the_lock_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "FORCE_SECONDS", 0.2)
    desk = Desk(tmp_path, "dev.x")
    with desk.held(), subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        (tmp_path / "dev.x.lock").write_text(f"process {other.pid}, since yesterday, on another machine")
        with (
            pytest.raises(RolloutError, match="End it where it runs"),
            desk.held_or_granted(Wish("x", "abort"), lambda _: None, force=True),
        ):
            pass
        assert other.poll() is None
        other.kill()


def test_a_closed_terminal_ends_no_rollout_and_is_told_once() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    told: list[str] = []
    try:
        stopped.listen(lambda: told.append("closed"))
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)
        assert told == ["closed"]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

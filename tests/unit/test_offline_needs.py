"""What the offline build needs is checked before it compiles, all at once, and not where nothing has to be compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from offline import __main__ as command
from offline import needs
from offline.needs import GIB, Machine, lacking

GOOD = Machine(
    system="Linux",
    processor="x86_64",
    root=True,
    distribution="debian 12",
    go="go1.25.1",
    memory=8 * GIB - (300 << 20),
    disk=20 * GIB,
)
BAD: Mapping[str, tuple[Any, str]] = {
    "system": ("Darwin", "Darwin on x86_64"),
    "processor": ("aarch64", "Linux on aarch64"),
    "root": (False, "not root"),
    "distribution": ("ubuntu 24.04", "ubuntu 24.04"),
    "go": ("go1.24.9", "go1.24.9"),
    "memory": (4 * GIB, "4.0 GiB"),
    "disk": (GIB, "1.0 GiB"),
}


def changed(changes: Mapping[str, Any]) -> Machine:
    """The good machine, with changes."""
    return replace(GOOD, **dict(changes))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KNATIVE_RELEASES_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("distribution", ["debian 12", "debian 13"])
@pytest.mark.parametrize("go", ["go1.25", "go1.25.1", "go1.26rc1", "go2.0"])
def test_a_sound_machine_lacks_nothing(distribution: str, go: str) -> None:
    assert not list(lacking(replace(GOOD, distribution=distribution, go=go)))


@pytest.mark.parametrize(("name", "value", "told"), [(name, *case) for name, case in BAD.items()])
def test_each_lack_is_told_with_what_was_found(name: str, value: Any, told: str) -> None:
    found = list(lacking(changed({name: value})))
    assert len(found) == 1 and told in found[0] and "; wanted " in found[0], found


@pytest.mark.parametrize(("name", "value"), [("distribution", ""), ("go", ""), ("distribution", "debian 11")])
def test_what_is_not_there_is_a_lack(name: str, value: str) -> None:
    assert len(list(lacking(changed({name: value})))) == 1


def test_all_are_told_at_once_and_nothing_is_compiled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = changed({name: value for name, (value, _) in BAD.items()})
    monkeypatch.setattr(needs, "this_machine", lambda: bad)
    monkeypatch.setattr(command, "run_steps", lambda _: pytest.fail("it compiles before it looks"))
    for arguments in (["needs"], ["build"]):
        assert command.main(arguments) == 1
        assert capsys.readouterr().err.count("; wanted ") == len(BAD) - 1  # system and processor are one line


def test_a_complete_build_needs_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "this_machine", lambda: GOOD)
    ran: list[list[str]] = []
    monkeypatch.setattr(command, "run_steps", ran.append)
    assert command.main(["build", "--from-cache"]) == 1, "it compiles though it may not"
    assert not ran
    assert command.main(["build"]) == 0
    monkeypatch.setattr(needs, "this_machine", lambda: pytest.fail("what is complete is checked again"))
    assert command.main(["build", "--from-cache"]) == 0
    assert command.main(["needs"]) == 0
    assert len(ran) == 2


def test_this_machine_is_looked_at() -> None:
    found = needs.this_machine()
    assert found.memory > 0 and found.disk > 0 and found.system and found.processor

"""What the verbs of `rollout` act on in the unit tests: the world, a source that answers well, a clock of its own."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from analysis import AnalysisError
from analysis.checks import check
from analysis.model import Sample
from rollout import RolloutError, commands, machine, transient
from rollout.commands import Place
from rollout.drive import Driver
from settings.rollouts import Rollout, service_settings
from status.model import Service
from tests.unit.rollout_world import BEFORE, NOTIFICATIONS, World, world

GOOD = {"to": "v1.1.0", "interval": "1s", "steps": ["50", "100"], "minRequests": "10"}


class Numbers:
    """A source that stands in: each track answers well, a hundred times for each reading."""

    name = "stand-in"

    def __init__(self, unreachable: bool = False) -> None:
        self._unreachable = unreachable
        self._readings = 0
        self._tracks: list[str] = []

    def begin(self, service: Service) -> None:
        """A window begins."""
        if self._unreachable:
            raise AnalysisError("nobody answers at 127.0.0.1:9")
        self._tracks = [track.name for track in service.tracks if track.name]

    def bounds(self) -> tuple[float, ...]:
        """Of wide buckets."""
        return (100.0, 250.0, 500.0)

    def read(self) -> Mapping[str, Sample]:
        """More requests than before."""
        self._readings += 1
        return {track: Sample(requests=100 * self._readings) for track in self._tracks}

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on when the driver sleeps."""
    clock = World(Path("/nowhere"), [])
    monkeypatch.setattr(commands, "Driver", functools.partial(Driver, clock=lambda: clock.now, sleep=clock.sleep))


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which the commands find their stack."""
    made = world(tmp_path)
    monkeypatch.setattr(commands, "Stack", lambda *_: made)
    monkeypatch.setattr(commands, "reported", lambda _stack, _service, outputs: made.reported(outputs))
    monkeypatch.setattr(transient, "WAY_BACK_SECONDS", 0.0)
    return made


def place(there: World, unreachable: bool = False, service: str = NOTIFICATIONS) -> Place:
    """Where the commands act: the world."""
    return Place(
        service=service,
        stack="test",
        project=there.file.parent,
        folder=there.file.parent / "rollouts",
        environ={},
        temporary=Path(tempfile.mkdtemp(dir=there.file.parent)),
        view=lambda _exits, _events: there,
        source=lambda *_: Numbers(unreachable),
        check=check,
    )


def refusal(there: World, options: Mapping[str, Any], *sets: str, **more: Any) -> str:
    """What `rollout start` says when it refuses; and nothing was changed."""
    before = there.file.read_bytes()
    with pytest.raises(RolloutError) as refused:
        commands.start(place(there, **more), options, sets)
    assert there.file.read_bytes() == before and not there.updates, "a refusal changes nothing"
    return str(refused.value)


def phase(there: World) -> str:
    """The phase that is written."""
    state = there.rollout().state
    assert state
    return state.phase


def under_way(there: World, **plan: Any) -> Rollout:
    """A rollout that some process left at its first step."""
    rollout = machine.started(Rollout.model_validate({**GOOD, **plan}), "r1", BEFORE)
    there.configuration.write(NOTIFICATIONS, service_settings(rollout), rollout.exported())
    return rollout

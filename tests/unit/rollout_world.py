"""Stand-ins for the stack, the analyst and the clock of a rollout, and the driver that is tested with them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import settings
from analysis import AnalysisError
from analysis.history import Event
from analysis.model import Outcome, Sample, Verdict
from rollout.configuration import Configuration
from rollout.deployed import Deployed
from rollout.drive import Driver
from rollout.update import Order, Update, UpdateError
from rollout.wishes import Wish
from settings.rollouts import Rollout
from tests.unit.recording import ROOT

NOTIFICATIONS = "notifications-service"
BEFORE: dict[str, Any] = {
    "stable": {"version": "v1.0.0", "env": {"A": "1"}},
    "tracks": {"canary": {"version": "v1.1.0"}},
}


NUMBERS = itertools.count()


class Killed(BaseException):
    """The tool was killed at this point."""


@dataclass
class World:
    """A configuration file, and stand-ins that record what a driver does. Dies after `lives` calls of any of them."""

    file: Path
    before: str = field(init=False)
    """The text of the configuration when the world was made: it is deployed."""
    verdicts: list[Outcome | AnalysisError] = field(default_factory=list)
    """Of the windows to come; `passed` when there are no more."""
    wishes: dict[int, Wish] = field(default_factory=dict)
    """By the number of the call that asks for one."""
    lives: int = 10**9
    broken: set[str] = field(default_factory=set)
    """Versions that never become ready."""
    fails_at: float | None = None
    """When the numbers show that the candidate fails, before the end of an interval."""
    now: float = 0.0
    updates: list[dict[str, Any]] = field(default_factory=list)
    """The service's settings at each update, shares by track."""
    events: list[Event] = field(default_factory=list)
    asked: int = 0
    version: int = 0
    name: str = "test"
    config: str = ""
    """Text of the configuration that the last successful update was made with; empty: the file of before."""
    orders: list[Order] = field(default_factory=list)
    """Every update that was asked for."""
    exported: dict[str, Any] = field(default_factory=dict)
    """The rollouts that the last update exported."""
    routed: dict[str, int] | None = None
    """What the cluster reports; None: what the last update made."""

    def __post_init__(self) -> None:
        self.before = self.file.read_text() if self.file.exists() else ""

    def live(self) -> None:
        """One more call; the last one kills."""
        self.lives -= 1
        if self.lives < 0:
            raise Killed

    def up(self, order: Order) -> Update:
        """What `pulumi up` does: refuses settings that contradict themselves, and makes the rest."""
        assert order.message
        self.live()
        self.orders.append(order)
        found = settings.load(made_with(order.config), ROOT)
        service = found.services[NOTIFICATIONS]
        versions = {"stable": service.stable.version}
        versions |= {name: track.version for name, track in service.deployed_tracks.items()}
        if self.broken & set(versions.values()):
            raise UpdateError(f"{self.broken} is not ready")
        shares = {name: service.tracks[name].percent for name in versions if name != "stable"}
        shares = {"stable": 100 - sum(shares.values()), **shares}
        self.updates.append({name: (versions[name], share) for name, share in shares.items()})
        self.exported = {name: rollout.exported() for name, rollout in found.rollouts.items()}
        self.config = order.config.read_text()
        self.version += 1
        self.live()
        return Update(begun=str(self.version), seconds=4.0, outputs=self.outputs())

    def deployed(self) -> dict[str, Any]:
        """The configuration of the last successful update."""
        found: dict[str, Any] = json.loads(self.config) if self.config else yaml.safe_load(self.before)
        return found

    def reported(self, outputs: Mapping[str, Any]) -> Mapping[str, int]:
        """What the cluster reports."""
        if self.routed is not None:
            return self.routed
        tracks = outputs["services"][NOTIFICATIONS]["tracks"].values()
        return {track["revision"]: int(track["percent"]) for track in tracks}

    def last(self) -> str | None:
        """What tells the last update from others."""
        return str(self.version)

    def outputs(self) -> dict[str, Any]:
        """What the last update exported."""
        last = self.updates[-1] if self.updates else {"stable": ("v1.0.0", 100)}
        tracks = {
            name: {"percent": float(share), "version": version, "revision": f"{NOTIFICATIONS}-{name}-{version}"}
            for name, (version, share) in last.items()
        }
        service = {"url": f"http://{NOTIFICATIONS}.default.example", "tracks": tracks}
        services = {NOTIFICATIONS: service}
        return {"cluster": "test", "kubeconfig": "", "services": services, "rollouts": self.exported}

    def begin(self, outputs: Mapping[str, Any], rollout: Rollout) -> str:
        """A window begins."""
        assert outputs and rollout.under_way
        self.live()
        if self.verdicts and isinstance(self.verdicts[0], AnalysisError):
            raise self.verdicts.pop(0)  # type: ignore[misc] # it is an error, as just asked
        return "stand-in"

    def read(self) -> Mapping[str, Sample]:
        """Ten requests a second for each track."""
        self.live()
        return {name: Sample(requests=int(10 * self.now)) for name in ("stable", "candidate")}

    def early(self) -> Verdict | None:
        """A failure from a moment on."""
        self.live()
        if self.fails_at is None or self.now < self.fails_at:
            return None
        return Verdict(outcome="failed", reasons=("it fails already",), candidate=Sample(requests=3))

    def judge(self) -> Verdict:
        """The next verdict."""
        self.live()
        outcome = self.verdicts.pop(0) if self.verdicts else "passed"
        assert not isinstance(outcome, AnalysisError)
        return Verdict(outcome=outcome, reasons=(f"it {outcome}",), candidate=Sample(requests=10))

    def event(self, event: Event) -> None:
        """Keep it."""
        self.events.append(event)

    def tick(self, left: float) -> None:
        """Time is left."""
        assert left > 0

    def sleep(self, duration: float) -> None:
        """Time passes at once."""
        self.now += duration

    def wish(self) -> Wish | None:
        """The wish for this call, if any."""
        self.asked += 1
        return self.wishes.get(self.asked)

    @property
    def configuration(self) -> Configuration:
        """The stack's configuration."""
        return Configuration(self.file)

    @property
    def shares(self) -> list[int]:
        """The candidate's share at each update; -1: there was no candidate."""
        return [update.get("candidate", ("", -1))[1] for update in self.updates]

    def driver(self) -> Driver:
        """A driver of this world."""
        return Driver(
            service=NOTIFICATIONS,
            configuration=self.configuration,
            deployed=Deployed(self.file.with_name(f"deployed-{next(NUMBERS)}.yaml")),
            stack=self,
            analyst=self,
            view=self,
            wish=self.wish,
            history=lambda: tuple(self.events),
            reported=self.reported,
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    def entry(self) -> Any:
        """The service's settings as written."""
        return self.configuration.entry(NOTIFICATIONS)

    def rollout(self) -> Rollout:
        """The rollout as written."""
        return Rollout.model_validate(self.configuration.rollout(NOTIFICATIONS))


def made_with(file: Path) -> dict[str, str]:
    """A configuration in JSON as Pulumi hands it to the program."""
    config = json.loads(file.read_text())["config"]
    return {
        key.partition(":")[2]: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
    }


def world(folder: Path, verdicts: Sequence[Outcome | AnalysisError] = (), **more: Any) -> World:
    """A world with a configuration in a folder, before any rollout."""
    file, application = folder / "Pulumi.test.yaml", folder / "app"
    if not application.exists():
        application.symlink_to(ROOT / "app")
    config = {"knative-releases:services": {NOTIFICATIONS: json.loads(json.dumps(BEFORE))}}
    file.write_text(yaml.safe_dump({"config": config}, sort_keys=False))
    return World(file, list(verdicts), **more)

"""A walk through the states of `states.py` on a real cluster under constant load, and the figures of its steps.

Each step is one `pulumi up`. The load never stops meanwhile, and the shares are observed in the load itself.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.conference import SERVICES
from tests.e2e.environment import Environment, eventually
from tests.e2e.shares import assert_shares, change, onto
from tests.e2e.states import STATES
from tests.e2e.traffic import Client, Probe, Prober

WORKERS, PAUSE = 2, 0.02
"""Connections of a prober, one of them kept alive, and the seconds between its requests: two cores carry no more."""
SAMPLE, WHOLE_SAMPLE = 1000, 200
"""Requests that judge a service's shares, and those that judge a URL where one revision answers all of them."""
AFTERMATH = 5.0
"""Seconds after an `up` in which a slow answer still counts as the flip's."""

Revisions = Mapping[str, Mapping[str, str]]
"""Name of the revision of each track, by service."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Figures of one step. Times in seconds."""

    before: str
    after: str
    onto: str
    """What the requests were moved to: `warm` pods that ran before, a `new` revision that this `up` made, or a `cold`
    one, whose pods were gone."""
    up_seconds: float
    share_seconds: float | None
    """From the start of `pulumi up` to the new shares at the last service that flipped; None: no share moved far."""
    sent: int
    worst_seconds: float
    """Longest wait for an answer, from the start of the `up` until shortly after it."""
    lost: Sequence[str]


@dataclass
class Walk:
    """An environment in one of the states."""

    environment: Environment
    client: Client
    state: str = ""
    revisions: Revisions = field(default_factory=dict)
    """As the stack's outputs say."""
    probers: dict[str, Prober] = field(default_factory=dict)
    """Those that run, by host label."""
    steps: list[Step] = field(default_factory=list)
    sent: int = 0
    """Requests of all load that has ended, those counted that outlived their step."""
    lost: list[str] = field(default_factory=list)

    def go(self, name: str) -> None:
        """One `up` to a state; the outputs have to say its shares."""
        state = STATES[name]
        self.environment.configure(state.services, canaryPercent=state.canary_percent)
        self.environment.up()
        self.state = name

    def arrived(self) -> None:
        """Read where the `up` led: the outputs say the state's shares."""
        outputs = self.environment.outputs()["services"]
        for service in SERVICES:
            shares = {track: told["percent"] for track, told in outputs[service]["tracks"].items()}
            assert shares == STATES[self.state].shares(service), f"{self.state}: the outputs say {shares} of {service}"
        self.revisions = {s: {t: told["revision"] for t, told in o["tracks"].items()} for s, o in outputs.items()}

    @contextlib.contextmanager
    def load(self, *hosts: str) -> Iterator[None]:
        """Load on services' main URLs, or on tags' URLs; each has answered once when it begins."""
        for host in hosts:
            self.client.version(host)
        with contextlib.ExitStack() as running:
            for host in hosts:
                self.probers[host] = running.enter_context(Prober(self.client, host, WORKERS, PAUSE))
            try:
                yield
            finally:
                running.close()
                for prober in (self.probers.pop(host) for host in hosts):
                    self.sent, self.lost = self.sent + prober.sent, self.lost + prober.lost

    def step(self, name: str) -> Step:
        """One `up` to another state under load, and all that has to hold after it."""
        begun, old_state, old = time.monotonic(), STATES[self.state], self._shares()
        with self.load(*sorted(old_state.tags().keys() & STATES[name].tags().keys())):
            known, awake = known_revisions(self.environment), awake_revisions(self.environment)
            before, up_begun = self.state, time.monotonic()
            self.go(name)
            up_ended = time.monotonic()
            self.arrived()
            self.environment.up("--expect-no-changes")
            self.environment.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes")
            probes = self._judged(up_ended)
        # Only this step's requests: an earlier state may have had the same revisions.
        probes = {host: [probe for probe in each if probe.begun >= begun] for host, each in probes.items()}
        since = [probe for each in probes.values() for probe in each]
        moments = [change(probes[s], old[s], self._shares()[s]) for s in SERVICES if s in probes]
        flips = [moment for moment in moments if moment is not None]
        step = Step(
            before=before,
            after=name,
            onto=onto(old, self._shares(), known, awake),
            up_seconds=round(up_ended - up_begun, 2),
            share_seconds=round(max(flips) - up_begun, 2) if flips else None,
            sent=len(since),
            worst_seconds=round(max(p.seconds for p in since if up_begun - 1 <= p.begun <= up_ended + AFTERMATH), 3),
            lost=[p.failure for p in since if p.failure],
        )
        self.steps.append(step)
        print(step, flush=True)
        return step

    def fall_asleep(self, service: str) -> None:
        """Wait until a service without load has no pods."""
        assert service not in self.probers, "load keeps a service awake"

        def asleep() -> bool:
            return not any(name.startswith(f"{service}-") for name in awake_revisions(self.environment))

        eventually(180, f"{service} without pods", asleep, every=3)

    def first_answer(self, service: str) -> float:
        """Seconds until a service without pods answers one request; what follows shows the state's shares."""
        self.fall_asleep(service)
        begun = time.monotonic()
        self.client.version(service)
        seconds = time.monotonic() - begun
        with self.load(service):
            self._judge(service, self._shares()[service], begun)
        return round(seconds, 3)

    def _shares(self) -> dict[str, dict[str, int]]:
        """Share in percent of each revision, by service."""
        state = STATES[self.state]
        return {
            service: {tracks[track]: percent for track, percent in state.shares(service).items()}
            for service, tracks in self.revisions.items()
        }

    def _judged(self, since: float) -> dict[str, list[Probe]]:
        """The probes of each host, when those sent after `since` are enough and have shown what the state says."""
        expected = self._shares()
        for host, (service, track) in STATES[self.state].tags().items():
            expected[host] = {self.revisions[service][track]: 100}
        for host in sorted(expected.keys() - self.probers.keys() - set(SERVICES)):  # a tag that came with this step
            with self.load(host):
                self._judge(host, expected[host], since)
        for host in self.probers:
            self._judge(host, expected[host], since)
        return {host: prober.probes[:] for host, prober in self.probers.items()}

    def _judge(self, host: str, wanted: Mapping[str, int], since: float) -> None:
        prober = self.probers[host]
        needed = WHOLE_SAMPLE if 100 in wanted.values() else SAMPLE

        def sample() -> list[Probe] | None:
            sent = [probe for probe in prober.probes if probe.begun >= since]
            return sent if len(sent) >= needed else None

        assert_shares(
            eventually(120, f"{needed} requests to {host}", sample, every=0.1), wanted, f"{self.state}, {host}"
        )


def known_revisions(environment: Environment) -> set[str]:
    """The revisions that are there."""
    return {revision["metadata"]["name"] for revision in environment.get("revisions.serving.knative.dev")}


def awake_revisions(environment: Environment) -> set[str]:
    """The revisions that have a pod that is ready and stays."""
    return {
        pod["metadata"]["labels"]["serving.knative.dev/revision"]
        for pod in environment.get("pods", "-l", "serving.knative.dev/revision")
        if not pod["metadata"].get("deletionTimestamp")
        and any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
    }

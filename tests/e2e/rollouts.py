"""`rollout` as a person runs it, on the tests' environment: its exit code, its events, and a way to kill it."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import yaml

from analysis.history import Ended, Event, Judged, Measured, Shared, event
from tests.e2e.environment import PROJECT, Environment

SERVICE = "notifications-service"
INTERVAL = 6.0
"""Seconds that a step is observed in these tests."""
HEALTHY = ("--to", "v1.1.0", "--interval", "6s", "--min-requests", "50", "--max-p95", "500ms")
Kind = TypeVar("Kind", Shared, Measured, Judged, Ended)


@dataclass(frozen=True)
class Run:
    """One run of the tool that has ended."""

    code: int
    events: tuple[Event, ...]
    errors: str
    """What it told a person beside the events."""
    seconds: float

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Its events of one kind."""
        return [each for each in self.events if isinstance(each, kind)]

    @property
    def shares(self) -> list[int]:
        """The candidate's share at each update; -1: there was none."""
        return [shared.shares.get("candidate", -1) for shared in self.of(Shared)]

    @property
    def path(self) -> list[int]:
        """The candidate's shares, one after the other, without the updates that left them as they were."""
        return [share for share, _ in itertools.groupby(self.shares)]


def command(environment: Environment, verb: str, *arguments: str) -> list[str]:
    """The command line of a verb."""
    return [sys.executable, "-m", "rollout", verb, SERVICE, "--stack", environment.name, *arguments]


def run(environment: Environment, verb: str, *arguments: str) -> Run:
    """Run the tool to its end."""
    return killed(environment, lambda _: False, verb, *arguments)


def killed(
    environment: Environment,
    when: Callable[[Event], bool],
    verb: str,
    *arguments: str,
    after: float = 0,
    with_signal: int = signal.SIGKILL,
) -> Run:
    """Run the tool, and send it a signal so many seconds after the first event for which `when` holds."""
    begun, events = time.monotonic(), []
    with subprocess.Popen(
        command(environment, verb, "--json", *arguments),
        cwd=PROJECT,
        env=environment.env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as tool:
        assert tool.stdout is not None and tool.stderr is not None
        for text in tool.stdout:
            events.append(event(text))
            if when(events[-1]):
                time.sleep(after)
                tool.send_signal(with_signal)
                events += [event(rest) for rest in tool.stdout if with_signal != signal.SIGKILL]
                break
        code = tool.wait()
        return Run(code, tuple(events), tool.stderr.read(), time.monotonic() - begun)


def back_within(to: Shared, back: Shared, interval: float) -> bool:
    """Whether the way back from a step ended within the step's interval and one update.

    A few seconds more are for the readings and the verdict.
    """
    return (back.at - to.at).total_seconds() < interval + (back.seconds or 0) + 5


def entry(environment: Environment) -> Any:
    """The service's entry in the configuration file."""
    config = yaml.safe_load((PROJECT / f"Pulumi.{environment.name}.yaml").read_text())["config"]
    return config["knative-releases:services"].get(SERVICE)

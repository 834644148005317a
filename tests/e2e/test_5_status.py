"""`python -m status` on a real cluster: what is wanted, what the cluster reports and what requests observe agree; and
what is wrong is told.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from status import cluster
from status.observed import fits
from tests.e2e.environment import PROJECT, CommandError, Environment, eventually
from tests.e2e.test_3_life_cycle import CANARY, DARK, NOTIFICATIONS, SERVICES

REQUESTS = 200
SLEEPERS = ("c4p-service", "agenda-service")


@pytest.fixture(scope="module")
def split(environment: Environment) -> Environment:
    """The environment with a canary at 50 and a dark frontend, and nothing else.

    Earlier tests leave revisions whose pods Kubernetes goes on starting for minutes.
    """
    environment.configure({**CANARY, **DARK}, canaryPercent=50)
    environment.up()
    wanted = [track["revision"] for s in environment.outputs()["services"].values() for track in s["tracks"].values()]
    found = {revision["metadata"]["name"] for revision in environment.get("revisions.serving.knative.dev")}
    if old := sorted(found.difference(wanted)):
        environment.kubectl("delete", "--wait", "revisions.serving.knative.dev", *old)
    eventually(60, f"no pods of {old}", lambda: not pods_of(environment, old))
    return environment


def pods_of(environment: Environment, revisions: list[str]) -> list[dict[str, Any]]:
    """The pods of some revisions."""
    return environment.get("pods", "-l", f"serving.knative.dev/revision in ({','.join(revisions)})")


def status(environment: Environment, *arguments: str) -> str:
    """What `python -m status` prints; fails with all of it where it fails."""
    return environment.run(sys.executable, "-m", "status", "--stack", environment.name, *arguments, seconds=60)


def services(environment: Environment, requests: int) -> dict[str, dict[str, Any]]:
    """The services of `python -m status --json`, by name."""
    shown = json.loads(status(environment, "--json", "--requests", str(requests)))
    assert (shown["stack"], shown["cluster"]) == (environment.name, environment.name)
    return {service["name"]: service for service in shown["services"]}


def pods(service: dict[str, Any], *states: str) -> list[str]:
    """Names of a service's pods in one of some states."""
    return [pod["name"] for track in service["tracks"] for pod in track["revision"]["pods"] if pod["state"] in states]


def test_wanted_reported_and_observed_agree(split: Environment) -> None:
    shown, outputs = services(split, REQUESTS), split.outputs()["services"]
    assert list(shown) == list(outputs) and set(shown) == set(SERVICES)
    for name, service in shown.items():
        assert service["ready"] and not service["problems"], service
        assert service["url"] == outputs[name]["url"]
        named = {track["name"]: track for track in service["tracks"] if track["name"]}
        assert set(named) == set(outputs[name]["tracks"])
        for track, output in ((named[each], outputs[name]["tracks"][each]) for each in named):
            assert track["wanted"] == track["reported"] == output["percent"], track
            assert track["revision"]["name"] == output["revision"] and track["version"] == output["version"]
            assert [track[key] for key in ("tag", "url", "header")] == [
                output.get(key) for key in ("tag", "url", "header")
            ]


@pytest.mark.parametrize(
    ("service", "shares"),
    [(NOTIFICATIONS, {"stable": 50, "canary": 50}), ("frontend", {"stable": 100, "version110": 0})],
)
def test_a_sample_observes_the_wanted_shares(split: Environment, service: str, shares: dict[str, int]) -> None:
    shown = services(split, REQUESTS)[service]
    sent = shown["sample"]["sent"]  # fewer than asked for where the machine is slow
    assert 20 <= sent <= REQUESTS and not shown["sample"]["failures"], shown["sample"]
    tracks = {track["name"]: track for track in shown["tracks"] if track["name"]}
    counts = {name: track["observed"] for name, track in tracks.items()}
    assert sum(counts.values()) == sent, "each answer is some track's"
    for name, percent in shares.items():
        assert tracks[name]["fits"] and fits(counts[name], sent, percent), f"{name}: {counts}"
        assert len(pods({"tracks": [tracks[name]]}, "running")) >= 1, f"{name} keeps a pod"


def test_a_person_reads_the_same_as_plain_lines(split: Environment) -> None:
    text, outputs = status(split), split.outputs()["services"]
    assert "\x1b" not in text and "client-key-data" not in text and "Traceback" not in text
    lines = text.splitlines()
    for track, version in (("stable", "v1.0.0"), ("canary", "v1.1.0")):
        assert any(f"{track} {version}  wanted  50 %  reported  50 %  observed " in line for line in lines), text
        revision = outputs[NOTIFICATIONS]["tracks"][track]["revision"]
        assert any(f"── {revision}  1/1 running" in line for line in lines), text
    url = f"http://version110-frontend.default.127.0.0.1.sslip.io:{split.port}"
    assert f"tag version110  {url}  or header Knative-Serving-Tag: version110" in text


def test_watching_repeats_until_it_is_interrupted(split: Environment) -> None:
    command = [sys.executable, "-m", "status", "--stack", split.name, "--watch", "--requests", "0"]
    with subprocess.Popen(
        command, cwd=PROJECT, env=split.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as watching:
        assert watching.stdout is not None and watching.stderr is not None
        heads = (line for line in iter(watching.stdout.readline, "") if line.startswith("stack "))
        assert [next(heads), next(heads)] == [f"stack {split.name}, cluster {split.name}\n"] * 2
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 0, "ctrl-C is the way to end it"
        assert watching.stderr.read() == ""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process puts temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_clusters_certificates_stay_in_no_file(split: Environment, temporary: Path) -> None:
    kubeconfig = json.loads(split.pulumi("stack", "output", "--json", "--show-secrets"))["kubeconfig"]
    found = cluster.read(kubeconfig, "default", split.name)
    assert set(found.services) == set(SERVICES), "the certificates are in use"
    assert list(temporary.iterdir()) == [], "while this process lives, and so after it was killed"


def test_a_sleeping_service_is_told_and_not_woken(split: Environment) -> None:
    def asleep() -> bool:
        shown = services(split, 0)
        return not any(pods(shown[name], "running", "starting", "ending") for name in SLEEPERS)

    eventually(180, f"{SLEEPERS} without pods", asleep, every=3)
    shown = services(split, 5)
    for name in SLEEPERS:
        assert "has no pods, and a request would start one" in shown[name]["sample"]["skipped"]
        assert shown[name]["sample"]["sent"] == 0 and shown[name]["tracks"][0]["observed"] is None
    assert shown[NOTIFICATIONS]["sample"]["sent"] == 5
    assert status(split).count("scaled to zero") == len(SLEEPERS)
    time.sleep(3)  # a pod that was asked for would be there by now
    assert asleep(), "looking starts nothing"


def test_a_version_that_does_not_get_ready_is_told_with_its_reason(split: Environment) -> None:
    served = split.outputs()["services"][NOTIFICATIONS]["tracks"]["canary"]["revision"]
    broken = {NOTIFICATIONS: {"tracks": {"canary": {"version": "v9.9.9"}}}}
    split.configure({**broken, **DARK}, canaryPercent=50, readyWithin="20s")
    with pytest.raises(CommandError):
        split.up()
    shown = services(split, REQUESTS)[NOTIFICATIONS]
    tracks = {track["name"]: track for track in shown["tracks"]}
    assert not shown["sample"]["failures"], "its requests are answered as before"
    canary, other = tracks["canary"], tracks[None]
    assert (canary["version"], canary["wanted"], canary["reported"], canary["observed"]) == ("v9.9.9", 50, None, 0)
    assert not canary["fits"] and pods({"tracks": [canary]}, "ErrImagePull", "ImagePullBackOff"), canary
    assert any("v9.9.9" in problem and "pull" in problem.lower() for problem in shown["problems"]), shown["problems"]
    assert (other["revision"]["name"], other["wanted"], other["reported"]) == (served, None, 50)
    assert other["observed"] > 0 and not other["fits"], "a version that nobody wants any more answers"
    assert "✗ pod " in status(split)

"""Who judges a candidate: which source is asked at which share, what it is compared with, what a check is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from analysis import AnalysisError
from analysis.model import Finding, Sample
from analysis.sources import Reach
from rollout import machine
from rollout.analyst import Observer, thresholds
from settings.rollouts import Rollout
from status.model import Service

SERVICE = "notifications-service"


class Source:
    """A source that stands in, and says who asked it."""

    def __init__(self, name: str, requests: Mapping[str, int], errors: Mapping[str, int]) -> None:
        self.name, self._requests, self._errors = name, requests, errors
        self._readings = 0
        self.closed = False

    def begin(self, service: Service) -> None:
        """A window begins."""
        assert service.name == SERVICE

    def read(self) -> Mapping[str, Sample]:
        """So many more requests of each track."""
        self._readings += 1
        return {
            track: Sample(requests=number * self._readings, errors=self._errors.get(track, 0) * self._readings)
            for track, number in self._requests.items()
        }

    def close(self) -> None:
        """Let go."""
        self.closed = True


class Check:
    """A check that stands in: says no, and keeps what it was told."""

    name = "smoke test"

    def __init__(self) -> None:
        self.told: Mapping[str, str] = {}

    def run(self, environ: Mapping[str, str]) -> Finding:
        """Asked once."""
        self.told = environ
        return Finding(metric="check smoke test", outcome="failed", reason="it says no")


def outputs(percent: int) -> dict[str, Any]:
    """What an update of a rollout exported."""
    tag = {"tag": "candidate", "url": f"http://candidate-{SERVICE}.default.example"}
    tracks = {
        "stable": {"percent": 100.0 - percent, "version": "v1.0.0", "revision": "old"},
        "candidate": {"percent": float(percent), "version": "v1.1.0", "revision": "new", **tag},
    }
    service = {"url": f"http://{SERVICE}.default.example", "tracks": tracks}
    return {"cluster": "dev", "kubeconfig": "", "services": {SERVICE: service}}


def begun(percent: int, requests: Mapping[str, int], *checks: Check, **plan: Any) -> tuple[Observer, list[Source]]:
    """An observer with a window at a share, after its first reading."""
    made: list[Source] = []
    errors: Mapping[str, int] = plan.pop("errors", {})

    def make(name: str, _: Reach) -> Source:
        made.append(Source(name, requests, errors))
        return made[-1]

    rollout = machine.started(Rollout(to="v1.1.0", min_requests=10, **plan), "r1", None)
    while rollout.percent != percent:
        rollout = machine.passed(rollout)
    observer = Observer("dev", SERVICE, make, checks)
    assert observer.begin(outputs(percent), rollout) == made[0].name
    assert set(observer.read()) == set(requests)
    return observer, made


def test_a_candidate_with_a_share_is_compared_with_stable_by_the_plans_source() -> None:
    observer, made = begun(25, {"stable": 90, "candidate": 30}, source="prometheus:http://127.0.0.1:9090")
    assert made[0].name == "prometheus:http://127.0.0.1:9090"
    verdict = observer.judge()
    assert verdict.outcome == "passed" and verdict.stable is not None


def test_a_candidate_without_a_share_is_probed_by_its_tag() -> None:
    assert begun(0, {"stable": 30, "candidate": 30}, strategy="blueGreen")[1][0].name == "probes"


@pytest.mark.parametrize(("percent", "preview"), [(0, True), (100, False)])
def test_the_source_learns_how_the_service_can_be_asked(percent: int, preview: bool) -> None:
    reaches: list[Reach] = []

    def make(name: str, reach: Reach) -> Source:
        reaches.append(reach)
        return Source(name, {}, {})

    rollout = machine.started(Rollout(to="v1.1.0", strategy="blueGreen"), "r1", None)
    rollout = machine.passed(rollout) if percent else rollout
    said = outputs(percent)
    said["services"][SERVICE]["visibility"] = "cluster-local"
    Observer("dev", SERVICE, make, ()).begin(said, rollout)
    (reach,) = reaches
    assert (reach.path, reach.preview, reach.cluster_local) == (None, preview, True)


def test_a_candidate_with_everything_is_held_to_its_limits_alone() -> None:
    verdict = begun(100, {"stable": 0, "candidate": 30})[0].judge()
    assert verdict.outcome == "passed" and verdict.stable is None, "stable's silence is no lack of requests"


@pytest.mark.parametrize("requests", [{"stable": 0, "candidate": 0}, {"stable": 90, "candidate": 9}])
def test_no_or_too_few_requests_are_no_verdict(requests: Mapping[str, int]) -> None:
    assert begun(25, requests)[0].judge().outcome == "inconclusive"


def test_a_check_that_says_no_fails_the_step_and_knows_where_to_look() -> None:
    check = Check()
    verdict = begun(25, {"stable": 90, "candidate": 30}, check)[0].judge()
    assert verdict.outcome == "failed" and "it says no" in verdict.reasons
    assert check.told == {
        "ROLLOUT_SERVICE": SERVICE,
        "ROLLOUT_VERSION": "v1.1.0",
        "ROLLOUT_PERCENT": "25",
        "ROLLOUT_URL": f"http://{SERVICE}.default.example",
        "ROLLOUT_TAG_URL": f"http://candidate-{SERVICE}.default.example",
        "ROLLOUT_NAMESPACE": "default",
        "ROLLOUT_REVISION": "new",
        "ROLLOUT_STABLE_REVISION": "old",
    }


def test_a_candidate_that_fails_everything_is_found_before_the_end_of_the_interval() -> None:
    observer, _ = begun(5, {"stable": 90, "candidate": 5}, errors={"candidate": 5})
    assert observer.early() is None, "one piece of a window says nothing of clumps"
    for _ in range(2):
        observer.read()
    found = observer.early()
    assert found and found.outcome == "failed", "15 of 15 failed requests are no verdict"
    good, _ = begun(25, {"stable": 90, "candidate": 30})
    for _ in range(5):
        good.read()
        assert good.early() is None, "nobody passes before the end"


def test_the_looks_of_a_step_share_its_level_over_its_windows() -> None:
    observer, _ = begun(5, {"stable": 900, "candidate": 900}, steps=(5, 100))
    rollout = machine.started(Rollout(to="v1.1.0", steps=(5, 100), min_requests=10), "r1", None)
    levels = []
    for _ in range(3):
        observer.read()
        levels.append(observer.judge().findings[0].level or 0.0)
        observer.begin(outputs(5), rollout)
    assert levels[0] > levels[1] > levels[2] > 0 and sum(levels) < 0.05 / 2 / 3


def test_a_new_window_lets_go_of_the_source_before() -> None:
    observer, made = begun(25, {"stable": 90, "candidate": 30})
    observer.close()
    assert made[0].closed
    with pytest.raises(ValueError, match="read before begin"):
        observer.read()


def test_the_plans_limits_are_numbers_for_the_judge() -> None:
    limits = thresholds(Rollout(to="v1.1.0", max_error_rate="0.5%", max_p95="500ms", max_p99="1.5s", min_requests=7))
    assert (limits.max_error_rate, limits.max_p95, limits.max_p99, limits.min_requests) == (0.005, 500, 1500, 7)
    assert (limits.max_error_increase, limits.max_4xx_rate, limits.max_4xx_increase) == (0.01, None, 0.05)
    given = {"to": "v1.1.0", "maxErrorIncrease": "none", "max4xxRate": "20%", "max4xxIncrease": "2.5%"}
    limits = thresholds(Rollout.model_validate(given))
    assert (limits.max_error_increase, limits.max_4xx_rate, limits.max_4xx_increase) == (None, 0.2, 0.025)
    given = {"to": "v1.1.0", "maxErrorIncrease": "2x", "max4xxIncrease": "1.5x", "maxP95Increase": "1.2x"}
    limits = thresholds(Rollout.model_validate(given))
    assert (limits.max_error_times, limits.max_4xx_times, limits.max_p95_times) == (2.0, 1.5, 1.2)
    assert limits.max_error_increase is limits.max_4xx_increase is limits.max_p95_increase is None


def test_outputs_without_the_services_environment_are_an_error_of_the_analysis() -> None:
    rollout = machine.started(Rollout(to="v1.1.0"), "r1", None)
    observer = Observer("dev", SERVICE, lambda _, __: Source("none", {}, {}), ())
    with pytest.raises(AnalysisError, match="has no environment: make up"):
        observer.begin({}, rollout)

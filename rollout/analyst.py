"""Who observes and judges: a source of numbers and the extra checks, held against the thresholds of the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analysis import AnalysisError
from analysis.model import Check, Sample, Source, Thresholds, Verdict
from analysis.sources import Reach
from analysis.thresholds import milliseconds, rate
from analysis.verdict import judge
from settings.rollouts import CANDIDATE, Rollout
from status import StatusError
from status.model import Service
from status.wanted import of_outputs

STABLE, PREVIEW = "stable", "probes"
"""The source where the candidate has no share: requests to its tag's URL are all that there is."""
MakeSource = Callable[[str, Reach], Source]


def thresholds(rollout: Rollout) -> Thresholds:
    """What the plan asks of a candidate. Pure."""
    return Thresholds(
        max_error_rate=rate(rollout.max_error_rate),
        max_p95=milliseconds(rollout.max_p95) if rollout.max_p95 else None,
        max_p99=milliseconds(rollout.max_p99) if rollout.max_p99 else None,
        min_requests=rollout.min_requests,
    )


class Observer:
    """The analyst of one service's rollout."""

    def __init__(self, stack: str, service: str, make: MakeSource, checks: Sequence[Check]) -> None:
        self._stack, self._name, self._make, self._checks = stack, service, make, checks
        self._source: Source | None = None
        self._service: Service | None = None
        self._rollout: Rollout | None = None
        self._samples: Mapping[str, Sample] = {}

    def begin(self, outputs: Mapping[str, Any], rollout: Rollout) -> str:
        """See `rollout.ports.Analyst`; before the start, a service without a candidate is looked at in vain."""
        self.close()
        try:
            wanted = of_outputs(self._stack, outputs)
        except StatusError as error:
            raise AnalysisError(str(error)) from None
        self._service = next(service for service in wanted.status.services if service.name == self._name)
        self._rollout = rollout
        preview = rollout.state and not rollout.percent
        reach = Reach(kubeconfig=wanted.kubeconfig, cluster=wanted.status.cluster, path=self._service.info_path)
        self._source = self._make(PREVIEW if preview else rollout.source, reach)
        self._source.begin(self._service)
        return self._source.name

    def read(self) -> Mapping[str, Sample]:
        """See `rollout.ports.Analyst`."""
        if not self._source:
            raise ValueError("read before begin")
        self._samples = self._source.read()
        return self._samples

    def judge(self) -> Verdict:
        """See `rollout.ports.Analyst`. The checks are asked now."""
        if not self._rollout or not self._service:
            raise ValueError("judge before begin")
        candidate = next(track for track in self._service.tracks if track.name == CANDIDATE)
        environ = {
            "ROLLOUT_SERVICE": self._name,
            "ROLLOUT_VERSION": self._rollout.to,
            "ROLLOUT_PERCENT": str(self._rollout.percent),
            "ROLLOUT_URL": self._service.url,
            "ROLLOUT_TAG_URL": candidate.url or "",
        }
        compared = self._rollout.percent < 100
        return judge(
            self._samples.get(STABLE) if compared else None,
            self._samples[CANDIDATE],
            thresholds(self._rollout),
            looks=len(self._rollout.steps),
            checked=[check.run(environ) for check in self._checks],
        )

    def close(self) -> None:
        """Let go of the source."""
        if self._source:
            self._source.close()
            self._source = None

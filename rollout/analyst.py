"""Who observes and judges: a source of numbers and the extra checks, held against the thresholds of the plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from analysis import AnalysisError
from analysis.model import Check, Coarse, Pieces, Sample, Source, Thresholds, Verdict
from analysis.sources import Reach
from analysis.spending import Spending
from analysis.thresholds import increase, milliseconds, nearest, rate, time_text
from analysis.verdict import failing, judge
from rollout.samples import between, with_piece
from settings.problems import Problem
from settings.rollouts import CANDIDATE, Rollout
from status import StatusError
from status.model import Service
from status.wanted import of_outputs

STABLE, PREVIEW = "stable", "probes"
"""The source where the candidate has no share: requests to its tag's URL are all that there is."""
WIDE = "this source knows latencies in wide buckets alone, and nothing of what is inside one"
MakeSource = Callable[[str, Reach], Source]


def thresholds(rollout: Rollout) -> Thresholds:
    """What the plan asks of a candidate. Pure."""
    errors, refused = (increase(text, rate) for text in (rollout.max_error_increase, rollout.max_4xx_increase))
    slower = increase(rollout.max_p95_increase, milliseconds)
    return Thresholds(
        max_error_rate=rate(rollout.max_error_rate),
        max_error_increase=errors[0],
        max_error_times=errors[1],
        max_4xx_rate=rate(rollout.max_4xx_rate) if rollout.max_4xx_rate else None,
        max_4xx_increase=refused[0],
        max_4xx_times=refused[1],
        max_p95_increase=slower[0],
        max_p95_times=slower[1],
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
        self._pieces: dict[str, tuple[Sample, ...]] = {}
        self._spending, self._step = Spending(), -1

    def begin(self, outputs: Mapping[str, Any], rollout: Rollout) -> str:
        """See `rollout.ports.Analyst`; before the start, a service without a candidate is looked at in vain."""
        self.close()
        try:
            wanted = of_outputs(self._stack, outputs)
        except StatusError as error:
            raise AnalysisError(str(error)) from None
        self._service = next(service for service in wanted.status.services if service.name == self._name)
        self._rollout = rollout
        preview = rollout.state is not None and not rollout.percent
        reach = Reach(
            kubeconfig=wanted.kubeconfig,
            cluster=wanted.status.cluster,
            path=self._service.info_path,
            preview=preview,
            cluster_local=self._service.cluster_local,
        )
        self._source = self._make(PREVIEW if preview else rollout.source, reach)
        self._source.begin(self._service)
        self._samples, self._pieces = {}, {}
        step = rollout.state.step if rollout.state else 0
        if step != self._step:  # a further window of a step has what the ones before left of its level
            self._spending, self._step = Spending(), step
        return self._source.name

    def read(self) -> Mapping[str, Sample]:
        """See `rollout.ports.Analyst`."""
        if not self._source:
            raise ValueError("read before begin")
        before, self._samples = self._samples, self._source.read()
        for track, piece in between(before, self._samples).items():
            self._pieces[track] = with_piece(self._pieces.get(track, ()), piece)
        return self._samples

    def unjudged(self, limits: Mapping[str, str]) -> list[Problem]:
        """The latencies among these limits that the source's numbers cannot judge, after `begin`.

        limits: as they are written, by the key of the plan.
        """
        bounds = self._source.bounds() if isinstance(self._source, Coarse) else ()
        problems = []
        for key, text in limits.items():
            with suppress(ValueError):  # what is no time is a problem of the plan's own
                if near := nearest(milliseconds(text), bounds):
                    wanted = " or ".join(time_text(bound) for bound in near)
                    problems.append(Problem(key, text, f"{wanted}: {WIDE}"))
        return problems

    def early(self) -> Verdict | None:
        """See `rollout.ports.Analyst`."""
        share = self._spending.early()
        if not share or not self._rollout:
            return None
        looks = len(self._rollout.steps) / share
        return failing(self._rollout.percent < 100, thresholds(self._rollout), looks, self._in_pieces)

    def judge(self) -> Verdict:
        """See `rollout.ports.Analyst`. The checks are asked now."""
        if not self._rollout or not self._service:
            raise ValueError("judge before begin")
        tracks = {track.name: track for track in self._service.tracks}
        candidate, stable = tracks[CANDIDATE], tracks.get(STABLE)
        environ = {
            "ROLLOUT_SERVICE": self._name,
            "ROLLOUT_VERSION": self._rollout.to,
            "ROLLOUT_PERCENT": str(self._rollout.percent),
            "ROLLOUT_URL": self._service.url,
            "ROLLOUT_TAG_URL": candidate.url or "",
            "ROLLOUT_NAMESPACE": self._service.namespace,
            "ROLLOUT_REVISION": candidate.revision.name,
            "ROLLOUT_STABLE_REVISION": stable.revision.name if stable else "",
        }
        compared = self._rollout.percent < 100
        return judge(
            self._samples.get(STABLE) if compared else None,
            self._samples[CANDIDATE],
            thresholds(self._rollout),
            looks=len(self._rollout.steps) / self._spending.end(),
            checked=[check.run(environ) for check in self._checks],
            pieces=self._in_pieces,
        )

    @property
    def _in_pieces(self) -> Pieces:
        return Pieces(self._pieces.get(STABLE, ()), self._pieces.get(CANDIDATE, ()))

    def close(self) -> None:
        """Let go of the source."""
        if self._source:
            self._source.close()
            self._source = None

"""Drawn requests: many rollouts' seconds at once, with errors that come alone, together, in waves or at the start."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import lognorm

SECONDS = 33
"""Of each step: three for each look."""
COLD_SECONDS = 2
SIGMA = 0.8
"""Of the logarithm of the latencies: 95 % of them take less than 3.7 times the median."""
EDGES = np.concatenate([[0.0], np.geomspace(1, 10_000, 160)])
"""Of the histogram's buckets in milliseconds, about as fine as Envoy's detailed ones."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """What requests to a version are like."""

    errors: float
    """Share that fails, in all."""
    clump: int = 1
    """So many requests in a row fail together."""
    drift: float = 0.0
    """How far the share of errors rises and falls over each step, as a part of it; the same for all versions."""
    cold: bool = False
    """Whether all errors are in the first seconds of a step, while its pods start."""
    p95: float = 100
    """Milliseconds."""

    def rates(self) -> Any:
        """Share of errors in each second of a step."""
        at = np.arange(SECONDS)
        if self.cold:
            return np.where(at < COLD_SECONDS, self.errors * SECONDS / COLD_SECONDS, 0.0)
        return self.errors * (1 + self.drift * np.sin(2 * math.pi * at / SECONDS))

    def failed(self, generator: np.random.Generator, requests: Any) -> Any:
        """How many of the requests fail.

        requests: of each rollout, in each second.
        """
        if self.clump == 1:
            return generator.binomial(requests, self.rates())
        due = self.clump * generator.poisson(requests * self.rates() / self.clump)
        errors, left = np.zeros_like(requests), np.zeros(len(requests), dtype=int)
        for second in range(SECONDS):
            left += due[:, second]
            errors[:, second] = np.minimum(left, requests[:, second])
            left -= errors[:, second]
        return errors

    def times(self, generator: np.random.Generator, requests: Any) -> Any:
        """How many of each rollout's requests are in each bucket of the latencies."""
        return generator.multinomial(requests, weights(self.p95))


@functools.cache
def weights(p95: float) -> Any:
    """Probability of each bucket."""
    scale = p95 / lognorm.ppf(0.95, SIGMA)
    return np.diff(lognorm.cdf(np.append(EDGES, math.inf), SIGMA, scale=scale))

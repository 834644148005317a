"""`python -m tests.simulation`: simulates whole rollouts and writes the figures into docs; fails where one is not kept.

SEED, ROLLOUTS (of each scenario) and JOBS (processes) may be given as environment variables.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.simulation import figures
from tests.simulation.rollouts import run
from tests.simulation.scenarios import GOOD, WORSE

SEED, ROLLOUTS = 20261127, 2000


def main() -> int:
    """Run everything; returns the exit code."""
    seed, rollouts = (int(os.environ.get(name, given)) for name, given in (("SEED", SEED), ("ROLLOUTS", ROLLOUTS)))
    begun = time.monotonic()
    with ProcessPoolExecutor(int(os.environ.get("JOBS", os.cpu_count() or 1))) as pool:
        alarms = run(GOOD, rollouts, seed, True, pool.map)
        misses = run(WORSE, rollouts, seed, False, pool.map)
    found = figures.collected(alarms, misses, seed)
    figures.keep(found)
    print(figures.table(found))
    print(f"{time.monotonic() - begun:.0f} s")
    broken = figures.broken(found)
    print("\n".join(broken), file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

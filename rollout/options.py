"""The command line of `rollout`: its verbs and options, and the plan that those of `start` name."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolchain.state import stack_name

LIMITS: Mapping[str, tuple[str, str]] = {
    "interval": ("60s", "how long each step is observed"),
    "max-error-rate": ("1%", "share of requests that may fail: status 5xx, or no answer"),
    "max-error-increase": ("1%|1.2x|none", "how many points or times more than stable's; default 1%"),
    "max-4xx-rate": ("10%", "share of requests that may be answered with a status 4xx"),
    "max-4xx-increase": ("5%|1.2x|none", "how many points or times more than stable's; default 5%"),
    "max-p95": ("500ms", "latency of the 95th percentile"),
    "max-p99": ("1s", "latency of the 99th percentile"),
    "max-p95-increase": ("100ms|1.2x|none", "how much slower than stable's p95; default 100ms"),
}
"""Options with an example and a meaning."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    main_parser = argparse.ArgumentParser(prog="rollout", description="Guided rollouts of a service of the stack.")
    verbs = main_parser.add_subparsers(dest="verb", required=True)
    texts = {
        "start": "begin a rollout and drive it to its end",
        "status": "where it is",
        "pause": "keep the traffic where it is",
        "resume": "go on, from a pause or after the tool was killed",
        "promote": "go on to the next step without a verdict",
        "abort": "the settings of before",
        "report": "its history as HTML and Markdown",
    }
    by_verb = {verb: verbs.add_parser(verb, help=text, description=text) for verb, text in texts.items()}
    for each in by_verb.values():
        each.add_argument("service")
        each.add_argument("--stack", default=stack_name(os.environ), help="default: PULUMI_STACK, else dev")
        each.add_argument("--json", action="store_true", help="JSON, one event a line")
    start = by_verb["start"]
    start.add_argument("--to", metavar="VERSION")
    start.add_argument("--strategy", help="canary, blue-green or ab")
    start.add_argument("--steps", metavar="5,25,50,100", help="percentages that rise to 100; one for ab")
    for name, (example, text) in LIMITS.items():
        start.add_argument(f"--{name}", metavar=example, help=text)
    start.add_argument("--min-requests", metavar="N", help="of each judged track, to pass; default 450")
    start.add_argument("--patience", metavar="N", help="further intervals for a step without a verdict")
    start.add_argument("--source", help="gateway, probes, or prometheus:URL")
    start.add_argument("--check", action="append", metavar="COMMAND|URL", help="has to say yes as well; repeatable")
    start.add_argument("--set", action="append", metavar="env.X=Y", help="a setting of the new version; repeatable")
    by_verb["promote"].add_argument("--full", action="store_true", help="all steps, not just this one")
    by_verb["abort"].add_argument(
        "--force", action="store_true", help="end the process that drives the rollout, if it does not answer"
    )
    by_verb["resume"].add_argument("--overwrite", action="store_true", help="settings changed by hand are lost")
    by_verb["report"].add_argument("--html", type=Path, metavar="FILE")
    by_verb["report"].add_argument("--markdown", type=Path, metavar="FILE")
    return main_parser


def chosen(given: argparse.Namespace) -> dict[str, Any]:
    """The keys of a plan that the options of `start` name, as the stack's settings have them. Pure."""
    strategy = {"blue-green": "blueGreen"}.get(given.strategy, given.strategy)
    options: dict[str, Any] = {
        "to": given.to,
        "strategy": strategy,
        "steps": given.steps.split(",") if given.steps else None,
        "interval": given.interval,
        "maxErrorRate": given.max_error_rate,
        "maxErrorIncrease": given.max_error_increase,
        "max4xxRate": given.max_4xx_rate,
        "max4xxIncrease": given.max_4xx_increase,
        "maxP95": given.max_p95,
        "maxP99": given.max_p99,
        "maxP95Increase": given.max_p95_increase,
        "minRequests": given.min_requests,
        "patience": given.patience,
        "source": given.source,
        "checks": given.check,
    }
    return {key: value for key, value in options.items() if value is not None}

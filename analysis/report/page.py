"""The report as one HTML page: no script, no network, readable in light and dark, and on paper."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import jinja2

from analysis.findings import Tolerance
from analysis.history import Event
from analysis.model import Finding, Sample, Thresholds
from analysis.report import axes, chart
from analysis.report.story import P95, Story, story
from analysis.thresholds import points_text, rate_text, time_text

SIGNS = {"passed": "✓", "failed": "✗", "inconclusive": "?"}
"""Beside the colours, for those who do not see them."""
ENDING_SIGNS = {"promoted": "✓", "kept": "✓", "rolled back": "✗", "aborted": "■", "not ended": "…"}


def html(events: Sequence[Event]) -> str:
    """The page. Raises AnalysisError where the history does not begin with a start."""
    told = story(events)
    return _template().render(
        story=told,
        started=told.started,
        picture=chart.picture(told),
        chart=chart,
        facts=facts(told),
        SIGNS=SIGNS,
        ENDING_SIGNS=ENDING_SIGNS,
    )


@functools.cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": number, "rate": rate, "p95": p95, "clock": axes.clock, "p_value": p_value}
    return environment.get_template("page.html.j2")


def facts(told: Story) -> list[tuple[str, str]]:
    """What a reader wants to know first, as pairs of a name and a text."""
    started, ended = told.started, told.ended
    users = []
    if ended and ended.user_requests is not None and ended.user_errors is not None:
        share = f" ({rate_text(ended.user_errors / ended.user_requests)})" if ended.user_requests else ""
        users = [("Users' requests", f"{ended.user_requests:,}, {ended.user_errors:,} of them failed{share}")]
    return [
        ("Began", f"{started.at:%Y-%m-%d %H:%M:%S %Z}"),
        ("Took", axes.clock(told.seconds)),
        ("Strategy", f"{started.strategy}: {' → '.join(f'{step}%' for step in started.steps)}"),
        ("Each step", f"{started.interval_seconds:g} s"),
        *users,
        ("Limits", "; ".join(limits(started.thresholds))),
        ("Numbers from", ", ".join(started.sources) or "not told"),
        *([("Checks", ", ".join(started.checks))] if started.checks else []),
        ("Stack", started.stack),
    ]


def limits(thresholds: Thresholds) -> list[str]:
    """What the candidate had to keep to, in words."""
    found = []
    if thresholds.max_error_rate is not None:
        found.append(f"error rate at most {rate_text(thresholds.max_error_rate)}")
    if tolerance := Tolerance(thresholds.max_error_increase, thresholds.max_error_times):
        found.append(f"{tolerance.above(points_text)} stable's")
    if thresholds.max_4xx_rate is not None:
        found.append(f"4xx rate at most {rate_text(thresholds.max_4xx_rate)}")
    if tolerance := Tolerance(thresholds.max_4xx_increase, thresholds.max_4xx_times):
        found.append(f"4xx rate {tolerance.above(points_text)} stable's")
    if thresholds.max_p95 is not None:
        found.append(f"p95 at most {time_text(thresholds.max_p95)}")
    if thresholds.max_p99 is not None:
        found.append(f"p99 at most {time_text(thresholds.max_p99)}")
    if tolerance := Tolerance(thresholds.max_p95_increase, thresholds.max_p95_times):
        found.append(f"p95 {tolerance.above(time_text)} stable's")
    found.append(f"at least {thresholds.min_requests} requests")
    return found


def number(finding: Finding, value: float | None) -> str:
    """A number of a finding in its unit: a share for rates, else milliseconds."""
    if value is None:
        return "–"
    return rate_text(value) if " rate" in finding.metric else time_text(value)


def p_value(value: float | None) -> str:
    """A probability with two digits."""
    return "–" if value is None else f"{value:.2g}"


def rate(sample: Sample | None) -> str:
    """A sample's error rate."""
    return rate_text(sample.error_rate) if sample and sample.error_rate is not None else "–"


def p95(sample: Sample | None) -> str:
    """A sample's 95th percentile."""
    value = sample.latency.percentile(P95) if sample else None
    return "–" if value is None else time_text(value)

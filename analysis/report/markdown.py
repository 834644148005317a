"""The report as Markdown, for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from analysis.history import Event
from analysis.report.axes import clock
from analysis.report.page import ENDING_SIGNS, SIGNS, facts, number, p95, p_value, rate
from analysis.report.story import Look, Story, story

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&])")


def markdown(events: Sequence[Event]) -> str:
    """The report. Raises AnalysisError where the history does not begin with a start."""
    told = story(events)
    started = told.started
    lines = [
        f"## {ENDING_SIGNS[told.outcome]} {_plain(started.service)} {_plain(started.stable_version)} → "
        f"{_plain(started.candidate_version)}: {told.outcome}",
        "",
        *(f"- {_plain(reason)}" for reason in told.reasons),
        *([""] if told.reasons else []),
        *_table(["", ""], ([name, _plain(text)] for name, text in facts(told))),
        "",
        "### Verdicts",
        "",
        *_table(
            ["at", "step", "candidate", "verdict", "requests", "error rate", "p95"],
            (_row(told, look) for look in told.looks),
        ),
        "",
        "Requests, error rate and p95: candidate / stable.",
        "",
        *_findings(told),
        *_settings(told),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _row(told: Story, look: Look) -> list[str]:
    verdict = look.judged.verdict
    stable, candidate = verdict.stable, verdict.candidate
    return [
        clock(look.at),
        f"{look.judged.step + 1}" + (f", window {look.judged.look}" if look.judged.look > 1 else ""),
        f"{look.shares.get(told.started.candidate, 0)}%",
        f"{SIGNS[verdict.outcome]} {verdict.outcome}",
        f"{candidate.requests:,} / {f'{stable.requests:,}' if stable else '–'}",
        f"{rate(candidate)} / {rate(stable)}",
        f"{p95(candidate)} / {p95(stable)}",
    ]


def _findings(told: Story) -> list[str]:
    lines = []
    for look in told.looks:
        verdict = look.judged.verdict
        summary = f"Step {look.judged.step + 1} at {clock(look.at)}: {verdict.outcome}"
        lines += ["<details>", f"<summary>{summary}</summary>", ""]
        if verdict.findings:
            rows = (
                [
                    _plain(finding.metric),
                    f"{SIGNS[finding.outcome]} {finding.outcome}",
                    number(finding, finding.candidate),
                    number(finding, finding.stable),
                    number(finding, finding.limit),
                    p_value(finding.p_value),
                ]
                for finding in verdict.findings
            )
            lines += [*_table(["metric", "result", "candidate", "stable", "limit", "p"], rows), ""]
        lines += [*(f"- {_plain(reason)}" for reason in verdict.reasons), "", "</details>", ""]
    return lines


def _settings(told: Story) -> list[str]:
    if not told.settings:
        return []
    if all(line.kind == "same" for line in told.settings):
        return ["### Settings", "", "The same as before."]
    signs = {"same": " ", "gone": "-", "new": "+"}
    return ["### Settings", "", "````diff", *(f"{signs[line.kind]} {line.text}" for line in told.settings), "````"]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _plain(text: str) -> str:
    """A text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))

"""From what a person asks for, on the command line and in the stack's settings, to a rollout; all problems at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

import settings
from rollout import RolloutError, machine
from rollout.configuration import Configuration
from settings.problems import Problem, SettingsError, from_validation
from settings.rollouts import Rollout, new_version, service_settings

FLAGS = {
    "to": "--to v1.1.0",
    "strategy": "--strategy canary",
    "steps": "--steps 5,25,50,100",
    "interval": "--interval 60s",
    "maxErrorRate": "--max-error-rate 1%",
    "maxErrorIncrease": "--max-error-increase 1%",
    "max4xxRate": "--max-4xx-rate 10%",
    "max4xxIncrease": "--max-4xx-increase 5%",
    "maxP95": "--max-p95 500ms",
    "maxP99": "--max-p99 1s",
    "maxP95Increase": "--max-p95-increase 100ms",
    "minRequests": "--min-requests 450",
    "patience": "--patience 3",
    "source": "--source gateway",
    "overrides": "--set env.NAME=VALUE",
}
"""Option of each key of a plan, with an example."""


def planned(
    service: str, options: Mapping[str, Any], configuration: Configuration, further: Sequence[Problem] = ()
) -> Rollout:
    """The plan: what the stack's settings declare for the service, and the options, which replace.

    further: problems that were found elsewhere, to be told in the same go.

    Raises RolloutError with every problem.
    """
    problems, known = list(further), configuration.services()
    if service not in known.names:
        problems.append(Problem("service", service, f"one of {', '.join(known.names)}"))
    given = {**declared(service, configuration), **options}
    stable, definition = _stable(configuration.entry(service)), known.definitions.get(service)
    if given.get("to") == stable.get("version", definition and definition.version) and not given.get("overrides"):
        problems.append(Problem("to", given["to"], "another version than stable's, or other settings: --set"))
    try:
        plan = Rollout.model_validate(given)
    except ValidationError as error:
        problems += from_validation(error, Rollout)
        raise refused(service, problems) from None
    if problems:
        raise refused(service, problems)
    return plan


def declared(service: str, configuration: Configuration) -> dict[str, Any]:
    """The plan that somebody wrote into the stack's settings, without what was an option of the last rollout."""
    entry = configuration.rollout(service) or {}
    state = entry.get("state")
    if isinstance(state, dict) and "plan" not in state:
        return dict(state.get("declared") or {})
    return {key: value for key, value in entry.items() if key != "state"}


def checked(service: str, plan: Rollout, identity: str, configuration: Configuration, project: Path) -> Rollout:
    """The plan at its first step, after every state that it leads to was judged as settings.

    Raises RolloutError with every problem.
    """
    stood = declared(service, configuration) or None
    first = machine.started(plan, identity, configuration.entry(service), stood)
    states = [first]
    while states[-1].state and states[-1].state.phase == "step":
        states.append(machine.promoted(states[-1], full=False))
    problems: dict[str, Problem] = {}
    for state in states:
        raw = configuration.with_rollout(service, service_settings(state), state.exported())
        try:
            settings.load(raw, project)
        except SettingsError as error:
            problems.update(
                {problem.path + problem.given: problem for problem in configuration.corrected(error.problems)}
            )
    if problems:
        raise refused(service, list(problems.values()))
    return first


def refused(service: str, problems: Sequence[Problem]) -> RolloutError:
    """All problems of a start, in words for people. Pure."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = [f"{count} with the rollout of {service}; nothing was changed:"]
    for problem in problems:
        key = problem.path.removeprefix(f"rollouts.{service}.").partition(".")[0]
        flag = FLAGS.get(key)
        name = flag.partition(" ")[0] if flag else problem.path
        fix = flag or problem.fix
        lines.append(f"  - {name}: given {problem.given}; wanted {problem.wanted}")
        lines += [f"      fix: {fix}"] if fix else []
    return RolloutError("\n".join(lines))


def overrides(given: Sequence[str], problems: list[Problem]) -> dict[str, Any]:
    """`env.X=Y` and `minScale=2` as nested settings; what is neither goes to the problems. Pure."""
    found: dict[str, Any] = {}
    for text in given:
        path, equals, value = text.partition("=")
        key, _, name = path.partition(".")
        if not equals or not key or (key == "env") != bool(name):
            problems.append(Problem("overrides", text, "env.NAME=VALUE, or KEY=VALUE with a setting of a track"))
        elif name:
            found.setdefault("env", {})[name] = value
        else:
            found[key] = _value(text, value, problems)
    return found


def _value(text: str, value: str, problems: list[Problem]) -> Any:
    """A number, a list or a mapping as YAML has them; a date stays the text that it is."""
    try:
        found = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError):
        problems.append(Problem("overrides", text, "KEY=VALUE with a value in YAML, such as minScale=2"))
        return None
    if found is None:
        problems.append(Problem("overrides", text, "a value: what stable has set cannot be taken away"))
    return value if isinstance(found, date) else found


def _stable(entry: Mapping[str, Any] | None) -> dict[str, Any]:
    return dict((entry or {}).get("stable") or {})


def new_of(entry: Mapping[str, Any] | None, plan: Rollout) -> str:
    """The version that a plan makes stable. Pure."""
    return str(new_version(_stable(entry), plan)["version"])

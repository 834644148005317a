"""The services of a stack: the manifests in the application's folder, and those that the settings add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from settings.definitions import Definition, definition
from settings.problems import Problem, remove_command, set_command, shown
from settings.types import Percent

FOLDER = "app"
"""The conference application's, in the project's folder."""
NONE = "none"
CANARY = "canary"
"""The track whose percent is the setting `canaryPercent`, where it says none of its own."""


@dataclass(frozen=True, kw_only=True)
class Application:
    """What the services are, apart from their versions."""

    definitions: Mapping[str, Definition] = field(default_factory=dict)
    """Sound ones, by name."""
    names: tuple[str, ...] = ()
    """All services, sound or not."""
    scripts: Mapping[str, str] = field(default_factory=dict)
    """SQL that a new volume of PostgreSQL runs, by the file's name."""


def application(folder: Any, services: Mapping[str, Any], directory: Path, problems: list[Problem]) -> Application:
    """Find and read the services.

    folder: the setting `application`; None: left out.
    services: the setting `services`, as it was written.
    directory: where a relative path begins.
    """
    files, scripts = _folder(folder, directory, problems)
    names, found = list(files), {}
    for name, entry in services.items():
        given = entry if isinstance(entry, dict) else {}
        own = [key for key in ("manifest", "image") if isinstance(given.get(key), str) and given[key]]
        if name not in files and not own:
            problems.append(_unknown(name, list(files)))
        elif name not in files:
            names.append(name)
    for name in names:
        entry = services.get(name)
        made = definition(name, entry if isinstance(entry, dict) else {}, files.get(name), directory)
        if isinstance(made, Definition):
            found[name] = made
        else:
            problems += made
    return Application(definitions=found, names=tuple(names), scripts=scripts)


def _folder(folder: Any, directory: Path, problems: list[Problem]) -> tuple[dict[str, str], dict[str, str]]:
    """The manifests in the application's folder, by the service's name, and its SQL, by the file's name."""
    if folder == NONE:
        return {}, {}
    place = directory / (folder if isinstance(folder, str) else FOLDER)
    if folder is not None and not (isinstance(folder, str) and place.is_dir()):
        wanted = f"a folder that exists, or {NONE}"
        problems.append(Problem("application", shown(folder), wanted, set_command("application", NONE)))
        return {}, {}
    manifests = {file.stem: str(file) for file in sorted(place.glob("*.yaml"))}
    return manifests, {file.name: file.read_text().strip() for file in sorted(place.glob("*.sql"))}


def _unknown(name: str, known: list[str]) -> Problem:
    path = f"services.{name}"
    others = f"one of {', '.join(known)}, or " if known else ""
    wanted = f"{others}a service of your own with its `manifest` or `image`"
    return Problem(path, "an unknown service", wanted, remove_command(path))


def percent_of_canaries(values: Mapping[str, Any]) -> int:
    """The setting `canaryPercent`; 0 where it is none, which is reported for the key itself."""
    try:
        return TypeAdapter(Percent).validate_python(values.get("canaryPercent", 0))
    except ValidationError:
        return 0


def filled(service: Any, canary_percent: int, definition: Definition | None) -> Any:
    """A service's entry with what it leaves out: the percent of a track is canaryPercent for canary, 0 for others;
    stable's version is the manifest's own.
    """
    if not isinstance(service, dict):
        return service
    stable, tracks = service.get("stable") or {}, service.get("tracks")
    if isinstance(stable, dict):
        stable = {"version": definition.version if definition else "unknown", **stable}
    if not isinstance(tracks, dict):
        return {**service, "stable": stable}
    percents = {name: canary_percent if name == CANARY else 0 for name in tracks}
    filled = {
        name: {"percent": percents[name], **track} if isinstance(track, dict) else track
        for name, track in tracks.items()
    }
    return {**service, "stable": stable, "tracks": filled}

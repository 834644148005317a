"""The services' settings where `services` names a YAML file, or a folder of them.

Pulumi hands the whole configuration of a stack to the program in one environment variable, which Linux limits to
128 KiB (`MAX_ARG_STRLEN`). Files have no such limit, and each team can own its own. A service's rollout is kept beside
the service's settings there, under the key `rollout`, so that both change in one write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from settings import written
from settings.problems import PROJECT, Problem, remove_command, set_command, shown
from settings.yaml_files import YamlFile, YamlFileError, yaml_file

KEY, ROLLOUT, ROLLOUTS = "services", "rollout", "rollouts"
ENDINGS = (".yaml", ".yml")
_WANTED = "a mapping of services, or a YAML file or a folder of YAML files that exists"
_COMMAND = re.compile(rf"pulumi config (set|rm) --path '{PROJECT}:({KEY}|{ROLLOUTS})\.([^.']+)\.?([^']*)'( \S+)?")


@dataclass(frozen=True)
class Place:
    """Where a service's settings stand."""

    file: Path
    """As it is named: a relative path begins at the project's folder."""
    keys: tuple[str, ...] = ()
    """The keys that lead to them; none: the file is the service's own."""


Found = tuple[Place, yaml.Node | None, Any]
"""A place, what is written there, and what that means."""


@dataclass(frozen=True, kw_only=True)
class ServiceFiles:
    """What the files say. An entry without content is none."""

    named: str
    """The value of the setting."""
    is_folder: bool
    """Whether each service has a file of its own in it."""
    entries: Mapping[str, Any] = field(default_factory=dict)
    """Below `services`, by service."""
    rollouts: Mapping[str, Any] = field(default_factory=dict)
    """Below `rollouts`, by service."""
    places: Mapping[str, Place] = field(default_factory=dict)
    changed: Sequence[Problem] = ()
    """The values that YAML changed on the way."""

    def place(self, service: str) -> Place:
        """Where a service's settings stand, or would."""
        named = Path(self.named)
        new = Place(named / f"{service}{ENDINGS[0]}") if self.is_folder else Place(named, (service,))
        return self.places.get(service, new)

    def corrected(self, problems: Iterable[Problem]) -> list[Problem]:
        """Problems whose commands are for the stack's own settings, with the file to change in their place."""
        return [replace(problem, fix=self._fix(problem)) for problem in problems]

    def in_words(self, text: str) -> str:
        """A text whose commands change the stack's settings of a service, with the file to change in their place."""
        return _COMMAND.sub(self._in_file, text)

    def _fix(self, problem: Problem) -> str:
        part, _, rest = problem.path.partition(".")
        name = rest.partition(".")[0]
        if not problem.fix and part in (KEY, ROLLOUTS) and name in self.places:
            return f"correct {self.places[name].file}"
        return self.in_words(problem.fix)

    def _in_file(self, command: re.Match[str]) -> str:
        verb, part, service, path, value = command.groups()
        place = self.place(service)
        keys = [*place.keys, *([ROLLOUT] if part == ROLLOUTS else []), *([path] if path else [])]
        if verb == "rm" and not keys:
            return f"rm {place.file}"
        where = ".".join(keys)
        return f"in {place.file}, " + (f"remove {where}" if verb == "rm" else f"write {where}:{value or ''}")


def given(values: Mapping[str, Any], directory: Path, problems: list[Problem]) -> ServiceFiles | None:
    """The files that the setting `services` names; None: it names none.

    values: the settings, parsed.
    directory: where a relative path begins.
    """
    named = values.get(KEY)
    if not isinstance(named, str):
        return None
    place, found = directory / named, list[Found]()
    is_folder = bool(named) and place.is_dir()
    files = sorted(file for file in place.iterdir() if file.suffix in ENDINGS) if is_folder else [place]
    if is_folder and not files:
        _report(problems, f"{shown(named)}, a folder without YAML files", f"a file <service>{ENDINGS[0]} in it")
    elif not is_folder and not (named and place.is_file()):
        _report(problems, shown(named), _WANTED)
    elif is_folder:
        for file in files:
            found += _of_folder(Path(named) / file.name, directory, problems)
    else:
        found += _of_file(Path(named), directory, problems)
    return _joined(ServiceFiles(named=named, is_folder=is_folder), found, values.get(ROLLOUTS), problems)


def _report(problems: list[Problem], found: str, wanted: str) -> None:
    problems.append(Problem(KEY, found, wanted, f"{remove_command(KEY)}, or name one: {set_command(KEY, '<path>')}"))


def _of_file(file: Path, directory: Path, problems: list[Problem]) -> list[Found]:
    """The services of a file that is a mapping of them."""
    document = _read(file, KEY, directory, problems)
    return _children(document, file, ()) if document else []


def _of_folder(file: Path, directory: Path, problems: list[Problem]) -> list[Found]:
    """The service that a file is named after, or those below its only key `services`."""
    document = _read(file, f"{KEY}.{file.stem}", directory, problems)
    if document is None:
        return []
    if list(document.value) == [KEY] and isinstance(document.value[KEY], dict):
        below = YamlFile(written.children(document.node)[KEY], document.value[KEY])
        return _children(below, file, (KEY,))
    if "apiVersion" in document.value:
        found, wanted = f"{shown(str(file))}, which is a manifest", "a service's settings: stable, tracks, manifest, …"
        fix = f"keep manifests in a folder of their own, and name it: {set_command('application', '<folder>')}"
        problems.append(Problem(f"{KEY}.{file.stem}", found, wanted, fix))
        return []
    return [(Place(file), document.node, document.value)]


def _children(document: YamlFile, file: Path, keys: tuple[str, ...]) -> list[Found]:
    nodes = written.children(document.node)
    return [(Place(file, (*keys, name)), nodes.get(name), entry) for name, entry in document.value.items()]


def _read(file: Path, path: str, directory: Path, problems: list[Problem]) -> YamlFile | None:
    """The mapping in a file; one without content is an empty one."""
    try:
        return yaml_file(directory / file)
    except YamlFileError as error:
        problems.append(Problem(path, f"{shown(str(file))}, {error}", "a YAML file with a mapping", f"correct {file}"))
        return None


def _joined(files: ServiceFiles, found: Iterable[Found], rollouts: Any, problems: list[Problem]) -> ServiceFiles:
    """What was found, each service once.

    rollouts: of the stack's own settings, where those of services in files do not belong.
    """
    entries, own_rollouts = dict[str, Any](), dict[str, Any]()
    places, changed = dict[str, Place](), list[Problem]()
    for place, node, entry in found:
        name = place.keys[-1] if place.keys else place.file.stem
        if name in places:
            both = f"an entry in {places[name].file}, and one in {place.file}"
            problems.append(Problem(f"{KEY}.{name}", both, "one", f"remove the one or the other: rm {place.file}"))
            continue
        places[name] = place
        changed += _changed(node, entry, name)
        if isinstance(entry, dict) and entry.get(ROLLOUT) is not None:
            own_rollouts[name] = entry[ROLLOUT]
        rest = {key: value for key, value in entry.items() if key != ROLLOUT} if isinstance(entry, dict) else entry
        if rest not in (None, {}):
            entries[name] = rest
    files = replace(files, entries=entries, rollouts=own_rollouts, places=places, changed=changed)
    problems += [_misplaced(name, files.place(name)) for name in (rollouts if isinstance(rollouts, dict) else ())]
    return files


def _changed(node: yaml.Node | None, entry: Any, name: str) -> Iterator[Problem]:
    for problem in written.differing(node, entry, f"{KEY}.{name}") if node else ():
        below = problem.path.removeprefix(f"{KEY}.{name}.")
        of_rollout = below.partition(".")[0] == ROLLOUT
        yield replace(problem, path=f"{ROLLOUTS}.{name}{below.removeprefix(ROLLOUT)}") if of_rollout else problem


def _misplaced(name: str, place: Place) -> Problem:
    where = ".".join([*place.keys, ROLLOUT])
    wanted = f"{where} in {place.file}: a rollout changes the service's settings and its own in one write"
    return Problem(f"{ROLLOUTS}.{name}", "a mapping in the stack's own settings", wanted, f"move it to {place.file}")

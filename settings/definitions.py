"""What a service is: a Knative Service manifest, in Knative's own schema. Read and judged here, all problems at once.

Every field that Knative has stays as it was written. The traffic and the revision's name are the release's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from settings.problems import Problem, set_command, shown

API, KIND = "serving.knative.dev/v1", "Service"
NEEDS, INFO_PATH, TRACK_ENV = (f"knative-releases/{name}" for name in ("needs", "info-path", "track-env"))
"""Annotations of a manifest: the stores that the service stops without; a path that answers with the pod's name as JSON
(`podName`); variables of each track for itself, `NAME=value` with `{track}` for its name."""
STORES = ("kafka", "postgresql", "redis")
DEFAULT_NAMESPACE = "default"
_LATEST = "latest"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One service, as its manifest says it."""

    name: str
    template: Mapping[str, Any]
    """The manifest's `spec.template`."""
    namespace: str = DEFAULT_NAMESPACE
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    """The Service's own, without those of this project."""
    needs: tuple[str, ...] = ()
    info_path: str | None = None
    track_env: Mapping[str, str] = field(default_factory=dict)
    track_templates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Of the tracks that have a manifest of their own; stable's is `template`."""

    @property
    def version(self) -> str:
        """The tag or digest of the manifest's own image."""
        return version_of(serving_container(self.template)["image"])


def serving_container(template: Mapping[str, Any]) -> dict[str, Any]:
    """The container that the requests go to: the one with a port, else the first. Pure."""
    containers: list[dict[str, Any]] = template["spec"]["containers"]
    return next((each for each in containers if each.get("ports")), containers[0])


def version_of(image: str) -> str:
    """Tag or digest of an image reference; as Docker has it, `latest` where there is none. Pure."""
    name, at, digest = image.partition("@")
    return digest if at else name.rpartition("/")[2].partition(":")[2] or _LATEST


def definition(name: str, given: Mapping[str, Any], file: str | None, directory: Path) -> Definition | list[Problem]:
    """One service, or everything that is wrong with it.

    given: its entry below `services`, as it was written.
    file: its manifest in the application's folder; None: it has none there.
    directory: where a relative path begins.
    """
    where, named = f"services.{name}", given.get("manifest")
    problems: list[Problem] = []
    if isinstance(named, str):
        manifest = _read(f"{where}.manifest", directory / named, name, problems)
    elif file is not None:
        manifest = _read(where, directory / file, name, problems)
    else:
        manifest = _of_image(name, str(given.get("image") or ""))
    tracks = given.get("tracks") if isinstance(given.get("tracks"), dict) else {}
    of_tracks: dict[str, Mapping[str, Any]] = {}
    for track, entry in (tracks or {}).items():
        if isinstance(entry, dict) and isinstance(entry.get("manifest"), str):
            path = f"{where}.tracks.{track}.manifest"
            if found := _read(path, directory / entry["manifest"], name, problems):
                of_tracks[track] = found["spec"]["template"]
    if problems or manifest is None:
        return problems
    if isinstance(given.get("image"), str) and (named or file):
        serving_container(manifest["spec"]["template"])["image"] = given["image"]
    return _defined(name, manifest, given, of_tracks)


def _of_image(name: str, image: str) -> dict[str, Any]:
    template = {"spec": {"containers": [{"image": image}]}}
    return {"apiVersion": API, "kind": KIND, "metadata": {"name": name}, "spec": {"template": template}}


def _defined(
    name: str, manifest: Mapping[str, Any], given: Mapping[str, Any], tracks: Mapping[str, Mapping[str, Any]]
) -> Definition:
    metadata = manifest["metadata"]
    notes = metadata.get("annotations") or {}
    needs = given.get("needs")
    return Definition(
        name=name,
        template=manifest["spec"]["template"],
        namespace=str(given.get("namespace") or metadata.get("namespace") or DEFAULT_NAMESPACE),
        labels=metadata.get("labels") or {},
        annotations={key: text for key, text in notes.items() if key not in (NEEDS, INFO_PATH, TRACK_ENV)},
        needs=tuple(needs) if isinstance(needs, list | tuple) else _listed(notes.get(NEEDS, "")),
        info_path=notes.get(INFO_PATH),
        track_env=_variables(notes.get(TRACK_ENV, "")),
        track_templates=tracks,
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _variables(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in _listed(text))


def _read(path: str, file: Path, name: str, problems: list[Problem]) -> dict[str, Any] | None:
    """The manifest in a file; None, and the reasons among the problems, where it is none."""
    if not file.is_file():
        problems.append(Problem(path, shown(str(file)), "a YAML file that exists", set_command(path, "<file>")))
        return None
    try:
        documents = [each for each in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader) if each is not None]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        given = f"{shown(str(file))}, which is not YAML ({' '.join(str(error).split())})"
        problems.append(Problem(path, given, "a YAML file", f"correct {file}"))
        return None
    if len(documents) != 1:
        given = f"{shown(str(file))} with {len(documents)} documents"
        problems.append(Problem(path, given, "one Knative Service", f"put each service into a file of its own: {file}"))
        return None
    found = [Problem(path, given, wanted, f"correct {file}") for given, wanted in _wrong(documents[0], name)]
    problems += found
    return None if found else documents[0]


def _wrong(manifest: Any, name: str) -> Iterator[tuple[str, str]]:
    """What is given and what is wanted, for each thing that keeps a document from being the service's manifest."""
    if not isinstance(manifest, dict) or (manifest.get("apiVersion"), manifest.get("kind")) != (API, KIND):
        kind = f"{manifest.get('apiVersion')} {manifest.get('kind')}" if isinstance(manifest, dict) else shown(manifest)
        yield f"a document that is {kind}", f"{API} {KIND}"
        return
    metadata, spec = manifest.get("metadata"), manifest.get("spec")
    if not isinstance(metadata, dict) or metadata.get("name") != name:
        found = metadata.get("name") if isinstance(metadata, dict) else None
        yield f"metadata.name {shown(found)}", f"{shown(name)}, the service's name in the settings"
    elif isinstance(notes := metadata.get("annotations") or {}, dict):
        yield from _wrong_notes(notes)
    if not isinstance(spec, dict) or not isinstance(spec.get("template"), dict):
        yield "no spec.template", "a Knative Service with a template"
        return
    if spec.get("traffic"):
        yield "spec.traffic", f"no traffic: shares and tags are settings (services.{name}.tracks)"
    template = spec["template"]
    if (template.get("metadata") or {}).get("name"):
        yield "spec.template.metadata.name", "no name: a revision's name is made from what is in it"
    containers = (template.get("spec") or {}).get("containers")
    if not isinstance(containers, list) or not containers:
        yield "no container in spec.template.spec.containers", "at least one"
        return
    if not all(isinstance(each, dict) and isinstance(each.get("image"), str) and each["image"] for each in containers):
        yield "a container without an image", "an image in every container"
    if len([each for each in containers if isinstance(each, dict) and each.get("ports")]) > 1:
        yield "several containers with a port", "one container with a port: the requests go there"


def _wrong_notes(notes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in (NEEDS, INFO_PATH, TRACK_ENV):
        if not isinstance(notes.get(key, ""), str):
            yield f"{key} {shown(notes[key])}", "text"
            return
    for need in _listed(notes.get(NEEDS, "")):
        if need not in STORES:
            yield f"{NEEDS} {shown(need)}", f"stores out of {', '.join(STORES)}"
    if not all("=" in part for part in _listed(notes.get(TRACK_ENV, ""))):
        yield f"{TRACK_ENV} {shown(notes[TRACK_ENV])}", "NAME=value, several divided by commas"
    if not str(notes.get(INFO_PATH, "/")).startswith("/"):
        yield f"{INFO_PATH} {shown(notes[INFO_PATH])}", "a path that begins with /"

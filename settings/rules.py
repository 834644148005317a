"""The rules that hold between settings: sums of shares, unique tags, names that stay apart once Knative joins them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from settings.application import CANARY
from settings.knative_rules import CONFIGURATION_LENGTH
from settings.model import Settings
from settings.problems import Problem, remove_command, set_command
from settings.releases import Service
from settings.rollouts import CANDIDATE, Rollout
from settings.types import DNS_LABEL_LENGTH

_OF_EXISTING_CLUSTERS = ("context", "kubeconfig")
STABLE = "stable"


def broken(services: Mapping[str, Service]) -> list[Problem]:
    """Every rule that the services' settings break."""
    problems: list[Problem] = []
    for name, service in services.items():
        problems += [*_shares(name, service), *_tags(name, service), *_track_names(name, service)]
    return [*problems, *_collisions(services)]


def misplaced(settings: Settings) -> Iterator[Problem]:
    """Settings that the chosen provider of the cluster lacks, or does not have."""
    cluster, knative = settings.cluster, settings.knative
    existing = cluster.provider == "existing"
    if existing and not cluster.context:
        wanted = "the name of a context of your kubeconfig (kubectl config get-contexts)"
        yield Problem("cluster.context", "nothing", wanted, set_command("cluster.context", "<context>"))
    for name in sorted(cluster.model_fields_set - {"provider"}):
        if existing != (name in _OF_EXISTING_CLUSTERS):
            path = f"cluster.{to_camel(name)}"
            wanted = f"nothing: a cluster of provider {cluster.provider} has no such setting"
            yield Problem(path, f'"{getattr(cluster, name)}"', wanted, remove_command(path))
    if existing and settings.network.registries:
        wanted = (
            "nothing: the nodes of an existing cluster are not the program's (docs/behind-a-firewall.md: pull secrets)"
        )
        yield Problem("network.registries", "a folder", wanted, remove_command("network.registries"))
    if not knative.install:
        for path in _of_installing(settings):
            wanted = "nothing: the Knative that is there is not changed (knative.install is false)"
            yield Problem(path, "a value", wanted, remove_command(path))
    if not existing and not knative.install:
        wanted = "true: nothing is in the cluster that the program makes"
        yield Problem("knative.install", "false", wanted, remove_command("knative.install"))
    if not existing and knative.domain is None:
        yield Problem("knative.domain", "null", "a domain name", remove_command("knative.domain"))


def _of_installing(settings: Settings) -> Iterator[str]:
    """Paths of settings that only an installed Knative heeds."""
    if "version" in settings.knative.model_fields_set:
        yield "knative.version"
    if "activator_replicas" in settings.knative.model_fields_set:
        yield "knative.activatorReplicas"
    if settings.knative.config:
        yield "knative.config"
    for name in ("proxy", "ca"):
        if name in settings.network.model_fields_set:
            yield f"network.{name}"
    if "replicas" in settings.kourier.model_fields_set:
        yield "kourier.replicas"


def warnings(settings: Settings) -> list[str]:
    """What is allowed but probably not meant."""
    if not settings.canary_percent or any(CANARY in each.tracks for each in settings.services.values()):
        return []
    name = [*settings.services, "<service>"][-2:][0]
    add = set_command(f"services.{name}.tracks.canary.version", "v1.1.0")
    return [
        f"canaryPercent is {settings.canary_percent}, but no service has a track named canary: it has no effect. "
        f"Add one: {settings.service_files.in_words(add) if settings.service_files else add}"
    ]


def under_way(name: str, rollout: Rollout, service: Service, expected: Mapping[str, Any]) -> Iterator[Problem]:
    """What keeps a rollout that is under way from owning the service's traffic.

    expected: the service's entry that the rollout stands for, percents filled in. Where it is other than the
    service's, a person has changed the one or the other.
    """
    path = f"services.{name}"
    before = (rollout.state.before if rollout.state else None) or {}
    if CANDIDATE in (before.get("tracks") or {}):
        wanted = f"another name for the track: a rollout adds one named {CANDIDATE}"
        yield Problem(
            f"{path}.tracks.{CANDIDATE}", "a track of your own", wanted, remove_command(f"{path}.tracks.{CANDIDATE}")
        )
    for track, settings in service.tracks.items():
        if track != CANDIDATE and settings.percent:
            where = "canaryPercent" if track == CANARY else f"{path}.tracks.{track}.percent"
            yield Problem(
                f"{path}.tracks.{track}.percent",
                f"{settings.percent} percent, while a rollout shares the requests between stable and {CANDIDATE}",
                "0 until it has ended",
                set_command(where, "0"),
            )
    try:
        same = Service.model_validate(expected) == service
    except ValidationError:
        same = False
    if not same:
        yield Problem(
            path,
            f"other settings than those of the rollout that is under way (to {rollout.to}, {rollout.percent} percent)",
            "a service that is left alone until its rollout has ended",
            f"rollout abort {name} (the settings of before), or rollout resume {name} --overwrite (the rollout's)",
        )


def _shares(name: str, service: Service) -> Iterator[Problem]:
    total = sum(track.percent for track in service.tracks.values())
    if total > 100:
        given = " + ".join(f"{track} {t.percent}" for track, t in service.tracks.items())
        first = next(iter(service.tracks))
        yield Problem(
            f"services.{name}.tracks",
            f"{given} = {total} percent",
            "at most 100 percent in all",
            set_command(f"services.{name}.tracks.{first}.percent", "<less>"),
        )


def _tags(name: str, service: Service) -> Iterator[Problem]:
    holders: dict[str, str] = {}
    for path, tag in _tags_of(service):
        where = f"services.{name}.{path}.tag"
        if tag in holders:
            yield Problem(
                where, f'"{tag}", which {holders[tag]} has too', "a tag of its own", set_command(where, "<another tag>")
            )
        holders.setdefault(tag, path)
        joined = f"{tag}-{name}"
        if len(joined) > DNS_LABEL_LENGTH:
            yield Problem(
                where,
                f'"{tag}", which makes the host name {joined} ({len(joined)} characters)',
                f"at most {DNS_LABEL_LENGTH} characters once joined",
                set_command(where, "<shorter tag>"),
            )


def _tags_of(service: Service) -> Iterator[tuple[str, str]]:
    if service.stable.tag:
        yield STABLE, service.stable.tag
    for name, track in service.tracks.items():
        if track.tag:
            yield f"tracks.{name}", track.tag


def _track_names(name: str, service: Service) -> Iterator[Problem]:
    for track in service.tracks:
        where = f"services.{name}.tracks.{track}"
        if track == STABLE:
            yield Problem(
                where, "a track named stable", "another name: stable is what the tracks leave", remove_command(where)
            )
        joined = f"{name}-{track}"
        if len(joined) > CONFIGURATION_LENGTH:
            yield Problem(
                where,
                f"a name that makes the configuration {joined} ({len(joined)} characters)",
                f"at most {CONFIGURATION_LENGTH} characters once joined",
                remove_command(where),
            )


def _collisions(services: Mapping[str, Service]) -> Iterator[Problem]:
    """Two objects or host names of the same name: `frontend` with track `x` beside a service `frontend-x`."""
    configurations = {name: f"the service {name}" for name in services}
    hosts = {name: f"the service {name}" for name in services}
    for name, service in services.items():
        for track in service.tracks:
            yield from _taken(configurations, f"{name}-{track}", f"services.{name}.tracks.{track}", "a track name")
        for tag, path in {tag: path for path, tag in _tags_of(service)}.items():
            yield from _taken(hosts, f"{tag}-{name}", f"services.{name}.{path}.tag", "a tag")


def _taken(names: dict[str, str], joined: str, path: str, what: str) -> Iterator[Problem]:
    if joined in names:
        yield Problem(
            path,
            f"{what} that joins to {joined}, the name of {names[joined]}",
            f"{what} that stays apart",
            remove_command(path),
        )
    names.setdefault(joined, path)

"""The releases as a tree for people: service, track, revision, in the manner of `kubectl argo rollouts get rollout`.

Pure. Every line says in words what it says in colour, so that plain lines are as good.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from rich.text import Text
from rich.tree import Tree

from status.model import DEFAULT_NAMESPACE, Counts, Revision, Sample, Service, Status, Track
from status.state import State, state

GOOD, WAITING, BAD, QUIET = "green", "yellow", "red", "dim"
MARKS: Mapping[State, tuple[str, str]] = {
    "well": ("✓ ", GOOD),
    "impaired": ("! ", WAITING),
    "failing": ("✗ ", BAD),
    "waiting": ("… ", WAITING),
}
"""✓ only where nothing below it is wrong."""


def tree(status: Status, now: datetime) -> Tree:
    """The whole status. now: the time that ages are counted to, with its zone."""
    root = Tree(Text(f"stack {status.stack}, cluster {status.cluster}"), guide_style=QUIET)
    for service in status.services:
        _add(root, service, now)
    return root


def _add(root: Tree, service: Service, now: datetime) -> None:
    place = f"  namespace {service.namespace}" if service.namespace != DEFAULT_NAMESPACE else ""
    place += "  inside the cluster alone" if service.cluster_local else ""
    head = Text.assemble(MARKS[state(service)], (service.name, "bold"), "  ", (service.url + place, QUIET))
    node = root.add(head)
    names = [f"{track.name or 'other'} {track.version or ''}".strip() for track in service.tracks]
    for track, name in zip(service.tracks, names, strict=True):
        below = node.add(_track(track, name.ljust(max(map(len, names)))))
        if track.tag:
            below.add(Text(f"tag {track.tag}  {track.url}  or header {track.header}", QUIET))
        below.add(_revision(track.revision, now))
    if service.sample:
        for line in _sample(service, service.sample):
            node.add(line)
    if service.counts:
        for line in _counts(service.counts):
            node.add(line)
    for problem in service.problems:
        node.add(Text(f"✗ {problem}", BAD))


def _track(track: Track, name: str) -> Text:
    reported = GOOD if track.reported == track.wanted else WAITING
    return Text("  ").join(
        part
        for part in (
            Text(name, "bold" if track.name else QUIET),
            Text(f"wanted {_percent(track.wanted)}", QUIET if track.wanted is None else ""),
            Text(f"reported {_percent(track.reported)}", reported),
            _observed(track),
        )
    )


def _percent(share: int | None) -> str:
    return "   –  " if share is None else f"{share:>3} %"


def _observed(track: Track) -> Text:
    if track.observed is None:
        return Text("observed –", QUIET)
    text = f"observed {track.observed}" + (f", {track.failed} failed" if track.failed else "")
    if track.fits is False:
        return Text(f"{text}: does not fit {track.wanted or 0} %", BAD)
    return Text(text, BAD if track.failed else GOOD if track.fits else QUIET)


def _revision(revision: Revision, now: datetime) -> Text:
    parts = [Text(revision.name, BAD if revision.ready is False else ""), _pods(revision)]
    if revision.created:
        parts.append(Text(age(now - revision.created), QUIET))
    return Text("  ").join(parts)


def _pods(revision: Revision) -> Text:
    """`1/2 running, ImagePullBackOff, 3 restarts`: ready of all that do not end, then why the others are not."""
    living = revision.living
    ending = len(revision.pods) - len(living)
    ready, restarts = sum(pod.ready for pod in living), sum(pod.restarts for pod in living)
    states = collections.Counter(pod.state for pod in living)
    told = [
        f"{ready}/{len(living)} {', '.join(states)}" if living else "",
        f"{restarts} restart{'s' if restarts > 1 else ''}" if restarts else "",
        f"{ending} ending" if ending else "",
    ]
    if not living and not ending:
        return _without_pods(revision)
    if not living:
        style = QUIET
    elif set(states) <= {"running", "starting"}:
        style = GOOD if ready == len(living) and not restarts else WAITING
    else:
        style = BAD
    return Text(", ".join(part for part in told if part), style)


def _without_pods(revision: Revision) -> Text:
    if revision.created is None:
        return Text("not in the cluster", BAD)
    return Text("no pods", BAD) if revision.ready is False else Text("scaled to zero", QUIET)


def _sample(service: Service, sample: Sample) -> Iterator[Text]:
    """What the observed numbers are out of, where status asked."""
    if sample.skipped:
        yield Text(f"not asked: {sample.skipped}", QUIET)
        return
    failed = sum(sample.failures.values())
    yield _total(f"{sample.sent} requests sent to {service.info_path}", f"{failed} failed", bad=failed > 0)
    yield from (Text(f"✗ {number} × {what}", BAD) for what, number in sample.failures.items())
    if elsewhere := sample.answered - sum(track.observed or 0 for track in service.tracks):
        yield Text(f"✗ {elsewhere} answered by pods of none of these revisions", BAD)


def _counts(counts: Counts) -> Iterator[Text]:
    """What the observed numbers are out of, where the gateway counted."""
    if counts.skipped:
        yield Text(f"not observed: {counts.skipped}", QUIET)
        return
    refused = f", {counts.client_errors} answered 4xx" if counts.client_errors else ""
    bad = counts.failed > 0 or 0 < counts.requests == counts.client_errors
    begin = f"{counts.requests} requests of users at the gateway in {counts.seconds:.0f} s"
    yield _total(begin, f"{counts.failed} failed{refused}", bad=bad)
    yield from (Text(note, QUIET) for note in counts.notes)


def _total(requests: str, failed: str, bad: bool) -> Text:
    return Text(f"{'✗ ' if bad else ''}{requests}, {failed}", BAD if bad else QUIET)


def age(since: timedelta) -> str:
    """A time span in its largest units: `12s`, `3m`, `2h5m`, `4d`."""
    seconds = max(0, int(since.total_seconds()))
    if seconds < 120:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 120:
        return f"{minutes}m"
    return f"{minutes // 60}h{minutes % 60}m" if minutes < 48 * 60 else f"{minutes // 1440}d"

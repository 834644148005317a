"""The releases as a tree for people: service, track, revision, in the manner of `kubectl argo rollouts get rollout`.

Pure. Every line says in words what it says in colour, so that plain lines are as good.
"""

from __future__ import annotations

import collections
from datetime import datetime, timedelta

from rich.text import Text
from rich.tree import Tree

from status.model import Revision, Service, Status, Track

GOOD, WAITING, BAD, QUIET = "green", "yellow", "red", "dim"


def tree(status: Status, now: datetime) -> Tree:
    """The whole status. now: the time that ages are counted to, with its zone."""
    root = Tree(Text(f"stack {status.stack}, cluster {status.cluster}"), guide_style=QUIET)
    for service in status.services:
        _add(root, service, now)
    return root


def _add(root: Tree, service: Service, now: datetime) -> None:
    mark = {True: Text("✓ ", GOOD), False: Text("✗ ", BAD), None: Text("… ", WAITING)}[service.ready]
    node = root.add(Text.assemble(mark, (service.name, "bold"), "  ", (service.url, QUIET)))
    names = [f"{track.name or 'other'} {track.version or ''}".strip() for track in service.tracks]
    for track, name in zip(service.tracks, names, strict=True):
        below = node.add(_track(track, name.ljust(max(map(len, names)))))
        if track.tag:
            below.add(Text(f"tag {track.tag}  {track.url}  or header {track.header}", QUIET))
        below.add(_revision(track.revision, now))
    for line in _sample(service):
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
    if track.fits:
        return Text(f"observed {track.observed}", GOOD)
    return Text(f"observed {track.observed}: does not fit {track.wanted or 0} %", BAD)


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


def _sample(service: Service) -> list[Text]:
    """What the observed numbers are out of."""
    sample = service.sample
    if sample is None:
        return []
    if sample.skipped:
        return [Text(f"not asked: {sample.skipped}", QUIET)]
    failed = sum(sample.failures.values())
    lines = [Text(f"{sample.sent} requests sent, {failed} failed", BAD if failed else QUIET)]
    lines += [Text(f"✗ {number} × {what}", BAD) for what, number in sample.failures.items()]
    elsewhere = sample.answered - sum(track.observed or 0 for track in service.tracks)
    if elsewhere:
        lines.append(Text(f"✗ {elsewhere} answered by pods of none of these revisions", BAD))
    return lines


def age(since: timedelta) -> str:
    """A time span in its largest units: `12s`, `3m`, `2h5m`, `4d`."""
    seconds = max(0, int(since.total_seconds()))
    if seconds < 120:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 120:
        return f"{minutes}m"
    return f"{minutes // 60}h{minutes % 60}m" if minutes < 48 * 60 else f"{minutes // 1440}d"

"""What the gateway observes for `status`: users' requests since the first reading, and why there are no numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from status import StatusError
from status.counters import envoy
from status.counters.reading import MOST_REVISIONS, Reader
from status.gateway import Gateway
from status.model import Revision, Service, Track
from status.reported import with_reported
from tests.unit.gateway_pods import Counts, Pods
from tests.unit.release_status import CANARY, STABLE, objects, wanted


class AllPods(Pods):
    """The stand-in, asked for the pods of all services at once."""

    def names(self, namespace: str, label: str) -> Mapping[str, str]:
        """See `Pods.names`."""
        return super().names(namespace, label.replace("service", "service=notifications"))


def service(**more: Any) -> Service:
    """Notifications at 50/50, as the cluster reports it."""
    return dataclasses.replace(with_reported(wanted().status.services[0], objects()), **more)


def pods(stable: Counts, canary: Counts, **more: Any) -> AllPods:
    """One gateway with such counts."""
    return AllPods({"gateway-1": {STABLE: stable, CANARY: canary}}, **more)


def counted(gateway: Gateway, given: Service | None = None) -> Service:
    """One reading of one service."""
    (found,) = gateway.read([given or service()])
    return found


def test_users_requests_between_two_readings_are_told_by_track() -> None:
    now = [100.0]
    found = pods(Counts(1000, 7), Counts(500), proxies={f"{CANARY}-pod": {("next", "2xx"): 40}})
    gateway = Gateway(found, lambda: now[0])
    first = counted(gateway)
    assert first.counts and first.counts.requests == 0 and [t.fits for t in first.tracks] == [None, None]
    found.gateways["gateway-1"] = {STABLE: Counts(1060, 10), CANARY: Counts(590, 1, client_errors=5, hung=2)}
    found.proxies[f"{CANARY}-pod"] = {("next", "2xx"): 80, ("DEFAULT", "2xx"): 52}
    now[0] += 5
    second = counted(gateway)
    assert second.counts and second.sample is None
    counts = second.counts
    assert (counts.seconds, counts.requests, counts.failed, counts.client_errors) == (5.0, 112, 6, 5)
    assert [(t.observed, t.failed, t.fits) for t in second.tracks] == [(60, 3, True), (52, 3, True)]
    assert "40 requests by a tag or of this tool are left out" in counts.notes


def test_watching_counts_on_and_begins_anew_when_shares_change() -> None:
    found = pods(Counts(), Counts())
    gateway = Gateway(found)
    counted(gateway)
    for number in (10, 20, 30):
        found.gateways["gateway-1"] = {STABLE: Counts(number), CANARY: Counts(number)}
        assert counted(gateway).tracks[0].observed == number, "since the first reading, not since the last"
    tracks = tuple(dataclasses.replace(t, wanted=0 if t.tag else 100) for t in service().tracks)
    flipped = service(tracks=tracks)
    assert counted(gateway, flipped).tracks[1].observed == 0, "requests of before are held against the new shares"
    found.gateways["gateway-1"] = {STABLE: Counts(31), CANARY: Counts(32)}  # under way during the flip
    assert counted(gateway, flipped).tracks[1].observed == 0, "requests that were under way are held against them"
    found.gateways["gateway-1"] = {STABLE: Counts(40), CANARY: Counts(33)}
    last = counted(gateway, flipped)
    assert [(t.observed, t.fits) for t in last.tracks] == [(9, False), (1, False)]


def test_reading_asks_once_for_all_services_of_a_namespace() -> None:
    names = [f"s{number}" for number in range(3)]
    found = AllPods({"gateway-1": {f"{name}-v1": Counts() for name in names}})
    track = Track(name="stable", revision=Revision(name=""), wanted=100, reported=100)
    services = [
        Service(name=n, url="", tracks=(dataclasses.replace(track, revision=Revision(name=f"{n}-v1")),)) for n in names
    ]
    told = Gateway(found).read(services)
    assert [each.counts and each.counts.skipped for each in told] == [None] * 3
    assert len(found.asked) == 1, "a stack of a hundred services asks a hundred times"


def test_many_revisions_fit_into_a_question() -> None:
    revisions = [f"service-number-{number}-with-a-long-name-v1-0-0-aaaaaaaa" for number in range(2 * MOST_REVISIONS)]
    found = AllPods({"gateway-1": {name: Counts() for name in revisions}})
    assert Reader(found, times=False).read("default", revisions, "serving.knative.dev/service").known == set(revisions)
    assert len(found.asked) == 2 and all(len(path) < 60 * 1024 for path in found.asked), "Envoy answers 431"


def test_latencies_are_not_asked_for() -> None:
    found = pods(Counts(), Counts(), knows_details=False)
    counted(Gateway(found))
    (path,) = found.asked
    asked = parse_qs(path.partition("?")[2])
    assert asked["histogram_buckets"] == [envoy.NONE] and "time" not in asked["filter"][0]


def skipped(found: Pods, given: Service | None = None) -> str:
    """Why nothing is observed."""
    told = counted(Gateway(found), given)
    assert told.counts and told.counts.skipped and all(t.observed is None for t in told.tracks)
    return told.counts.skipped


def test_another_ingress_is_told_and_is_no_error() -> None:
    assert "Services behind another ingress are not observed" in skipped(AllPods({}))
    unknown = AllPods({"gateway-1": {STABLE: Counts()}})
    assert skipped(unknown) == (
        f"the gateway does not know {CANARY}: another ingress serves notifications, or it is new"
    )


def test_a_gateway_that_does_not_answer_is_told() -> None:
    assert "asked: gateway-1" in skipped(AllPods({"gateway-1": None}))


def test_a_service_that_the_cluster_does_not_have_is_not_counted() -> None:
    gone = with_reported(wanted().status.services[0], objects(services={}))
    assert skipped(pods(Counts(), Counts()), gone) == "the cluster reports no share"


def test_missing_rights_are_told_with_the_role_that_has_them() -> None:
    class Forbidden(AllPods):
        def names(self, *_: object) -> Mapping[str, str]:
            raise StatusError("dev answers, but refuses (403). The kubeconfig's user may not read this: kubectl …")

    assert "docs/rights.md (knative-releases-measure)" in skipped(Forbidden())

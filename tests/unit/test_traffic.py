"""Shares and the traffic block: every request goes somewhere, and stable takes what the tracks leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.release.plan import ReleasedServiceArgs, TrackArgs, described, plan
from components.release.revision import RevisionArgs
from components.release.traffic import Target, stable_percent, traffic_block
from components.release.urls import Urls

SHARES = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 100)).filter(
    lambda shares: sum(shares.values()) <= 100
)


def args(**shares: int) -> ReleasedServiceArgs:
    """A service with a tagged track for each share."""
    revision = RevisionArgs(template={"spec": {"containers": [{"image": "example/a"}]}}, version="v1")
    tracks = {
        track: TrackArgs(revision=revision, percent=percent, tag=f"tag-{track}") for track, percent in shares.items()
    }
    stable = TrackArgs(revision=revision)
    return ReleasedServiceArgs(
        service_name="a",
        namespace="default",
        stable=stable,
        tracks=tracks,
        domain="d.test",
        http_port=80,
        ready_within="2m",
    )


@given(SHARES)
def test_stable_takes_what_the_tracks_leave_and_the_sum_is_100(shares: dict[str, int]) -> None:
    targets, _ = plan(args(**shares))
    percents = {target.track: target.percent for target in targets}
    assert percents.pop("stable") == 100 - sum(shares.values()), "stable gets another share than what is left"
    assert percents == shares, "a track gets another share than it was given"
    assert sum(entry["percent"] for entry in traffic_block(targets)) == 100, "Knative refuses the block"


@given(SHARES)
def test_every_target_names_a_revision_of_its_own_and_never_the_latest(shares: dict[str, int]) -> None:
    block = traffic_block(plan(args(**shares))[0])
    names = [entry["revisionName"] for entry in block]
    assert len(set(names)) == len(names), "two targets are one revision: their shares cannot be told apart"
    assert not any(entry["latestRevision"] for entry in block), "Knative would choose a revision by itself"


@pytest.mark.parametrize("shares", [{"a": 101}, {"a": -1, "b": 5}, {"a": 60, "b": 41}])
def test_shares_that_leave_less_than_nothing_are_an_error(shares: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="percentages"):
        stable_percent(shares)


def test_a_target_without_a_tag_has_no_tag_key() -> None:
    assert traffic_block([Target(track="stable", revision="r", percent=100)]) == [
        {"revisionName": "r", "percent": 100, "latestRevision": False}
    ], "an empty tag would be a change at every refresh"


def test_the_release_says_share_version_revision_and_how_a_tag_is_reached() -> None:
    service = args(x=10)
    release = described(service, plan(service)[0], Urls("a", "default", "d.test", 80))
    assert release["url"] == "http://a.default.d.test", "the service's URL is not told"
    assert set(release["tracks"]) == {"stable", "x"}, "a track is not told"
    track = release["tracks"]["x"]
    assert (track["percent"], track["version"]) == (10, "v1"), "a track's share or version is not told"
    assert track["url"] == "http://tag-x-a.default.d.test", "the tag's URL is not told"
    assert track["header"] == "Knative-Serving-Tag: tag-x", "the header that chooses the tag is not told"
    assert "url" not in release["tracks"]["stable"], "a URL is told for a tag that is not there"


def test_a_tracks_template_says_whose_service_it_is_and_stables_does_not() -> None:
    _, templates = plan(args(x=10))
    label = "serving.knative.dev/service"
    assert templates["x"]["metadata"]["labels"] == {label: "a"}, "Knative from 1.21 on does not route to it"
    assert "labels" not in templates["stable"]["metadata"], "stable's label is Knative's own to set"


def test_a_track_that_equals_stable_in_everything_has_a_revision_of_its_own() -> None:
    targets, _ = plan(args(x=100))
    assert targets[0].revision != targets[1].revision, "the first step of a two-step promotion would collide"

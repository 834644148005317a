"""Image references and the map that redirects them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.sources.images import ImageMap, Reference
from components.stores.datastores import image_values

DIGEST = "sha256:" + "0" * 64
MAP = ImageMap(
    {
        "docker.io/salaboy/": "dev.local/salaboy/",
        "docker.io/salaboy/special": "dev.local/other",
        "docker.io/library/redis": "dev.local/redis:7",
        "docker.io/bitnamilegacy/kafka": f"dev.local/kafka@{DIGEST}",
        "localhost:5000/": "mirror:6000/",
        "gcr.io/a/": "one/",
        "gcr.io/a/b/": "two/",
    }
)


@pytest.mark.parametrize(
    ("text", "repository", "suffix"),
    [
        ("redis", "docker.io/library/redis", ""),
        ("redis:7", "docker.io/library/redis", ":7"),
        ("salaboy/frontend:v1", "docker.io/salaboy/frontend", ":v1"),
        ("docker.io/salaboy/frontend", "docker.io/salaboy/frontend", ""),
        (f"gcr.io/a/b@{DIGEST}", "gcr.io/a/b", f"@{DIGEST}"),
        (f"gcr.io/a/b:v1@{DIGEST}", "gcr.io/a/b", f":v1@{DIGEST}"),
        ("localhost:5000/a", "localhost:5000/a", ""),
        ("localhost/a:v1", "localhost/a", ":v1"),
        ("mirror:6000/a/b:v1", "mirror:6000/a/b", ":v1"),
    ],
)
def test_a_reference_is_split_as_a_container_runtime_reads_it(text: str, repository: str, suffix: str) -> None:
    assert Reference.parse(text) == Reference(repository, suffix), (
        "another image would be pulled than the one that is meant"
    )


@pytest.mark.parametrize(
    ("reference", "redirected"),
    [
        ("docker.io/salaboy/frontend:v1", "dev.local/salaboy/frontend:v1"),
        ("salaboy/frontend:v1", "dev.local/salaboy/frontend:v1"),
        (f"salaboy/frontend@{DIGEST}", f"dev.local/salaboy/frontend@{DIGEST}"),
        ("salaboy/special:v2", "dev.local/other:v2"),
        (f"redis:6@{DIGEST}", "dev.local/redis:7"),
        ("docker.io/bitnamilegacy/kafka:3", f"dev.local/kafka@{DIGEST}"),
        ("localhost:5000/a:v1", "mirror:6000/a:v1"),
        ("gcr.io/a/x:v1", "one/x:v1"),
        ("gcr.io/a/b/x:v1", "two/x:v1"),
    ],
)
def test_the_longest_matching_key_says_where_an_image_comes_from(reference: str, redirected: str) -> None:
    assert MAP.redirected(reference) == redirected, "the image would be looked for where it is not"


@pytest.mark.parametrize(
    "reference", ["docker.io/library/redis-stack:7", "quay.io/salaboy/a:v1", "envoy", "docker.io/salaboyx/a"]
)
def test_a_reference_that_nothing_matches_stays_as_it_was_written(reference: str) -> None:
    assert MAP.redirected(reference) == reference, "an image was changed that nobody redirected"


NAMES = st.from_regex(r"\A[a-z0-9]{1,6}(/[a-z0-9]{1,6}){0,2}\Z")
SUFFIXES = st.sampled_from(["", ":v1", f"@{DIGEST}", f":v1@{DIGEST}"])
REFERENCES = st.builds(
    lambda host, name, suffix: host + name + suffix,
    st.sampled_from(["", "docker.io/", "gcr.io/", "localhost:5000/"]),
    NAMES,
    SUFFIXES,
)


@given(REFERENCES)
def test_a_reference_is_what_its_parts_say(text: str) -> None:
    once = str(Reference.parse(text))
    assert once.endswith(text), "parsing changed more than Docker Hub's shorthand"
    assert str(Reference.parse(once)) == once, "a full reference is read as another one"


@given(
    REFERENCES,
    st.dictionaries(
        st.sampled_from(["docker.io/", "docker.io/library/", "gcr.io/", "localhost:5000/"]),
        st.sampled_from(["dev.local/", "dev.local/x/"]),
    ),
)
def test_redirecting_twice_is_redirecting_once(text: str, redirections: dict[str, str]) -> None:
    images = ImageMap(redirections)  # no value is itself redirected
    once = images.redirected(text)
    assert images.redirected(once) == once, "what was redirected is redirected again"


@given(REFERENCES)
def test_without_redirections_everything_stays(text: str) -> None:
    assert ImageMap().redirected(text) == text, "upstream's images are not used as they are written"


def test_chart_values_name_registry_and_repository_and_the_tag_only_where_it_is_redirected() -> None:
    upstream = {"registry": "docker.io", "repository": "bitnamilegacy/kafka"}
    assert image_values(ImageMap(), "kafka") == upstream, "the chart's own tag is lost"
    tagged = ImageMap({"docker.io/bitnamilegacy/kafka": "localhost:5000/kafka:3"})
    assert image_values(tagged, "kafka") == {"registry": "localhost:5000", "repository": "kafka", "tag": "3"}, (
        "the tag is lost"
    )


def test_a_chart_image_redirected_to_a_digest_keeps_the_digest() -> None:
    assert image_values(MAP, "kafka") == {"registry": "dev.local", "repository": "kafka", "digest": DIGEST}, (
        "the chart's own tag would be pulled from the other repository"
    )

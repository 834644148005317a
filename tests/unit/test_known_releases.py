"""A release that lacks what the program sets: a sentence before anything is made, not a setting without effect."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from components.known_releases import UnknownReleaseError, require
from tests.unit import small_release
from tests.unit.recording import record
from tests.unit.small_release import manifest


def test_a_release_that_lacks_what_is_set_is_refused_with_all_of_it() -> None:
    there, missing = [manifest("ConfigMap", "a", "n")], [("ConfigMap", "n", "b"), ("Namespace", "", "n")]
    require("Any 9.9.9", "the way", there, [("ConfigMap", "n", "a")])
    with pytest.raises(UnknownReleaseError) as raised:
        require("Any 9.9.9", "the way", there, [("ConfigMap", "n", "a"), *missing])
    message = str(raised.value)
    for part in ("Any 9.9.9", "ConfigMap n b, Namespace n.", "Nothing was changed", "the way"):
        assert part in message, message


@pytest.mark.parametrize(
    ("file", "kind", "name", "told"),
    [
        ((*small_release.SERVING, "serving-core.yaml"), "ConfigMap", "config-gc", "Knative Serving 1.10.2"),
        ((*small_release.SERVING, "serving-core.yaml"), "Deployment", "activator", "Knative Serving 1.10.2"),
        ((*small_release.KOURIER, "kourier.yaml"), "Service", "kourier", "Kourier 1.10.0"),
        ((*small_release.KOURIER, "kourier.yaml"), "Deployment", "3scale-kourier-gateway", "Kourier 1.10.0"),
    ],
)
def test_an_object_that_a_release_no_longer_has_ends_the_program_before_anything_is_made(
    tmp_path: Path, file: tuple[str, str, str], kind: str, name: str, told: str
) -> None:
    path = small_release.release_file(small_release.write(tmp_path), *file)
    objects = [
        each
        for each in yaml.safe_load_all(path.read_text())
        if (each["kind"], each["metadata"]["name"]) != (kind, name)
    ]
    path.write_text(yaml.safe_dump_all(objects))
    recorded = record({"knative": {"activatorReplicas": 2}, "kourier": {"replicas": 2}}, tmp_path)
    assert isinstance(recorded.error, UnknownReleaseError), f"it is left out in silence: {recorded.error!r}"
    assert told in str(recorded.error) and name in str(recorded.error) and not recorded.resources

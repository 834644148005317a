"""The stand-in charts of the data stores hold to the versions that the program and the images have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from offline import kafka_runtime, slim_root, stores, versions
from offline.image_archive import Image

CHARTS = Path(stores.__file__).with_name("charts")
# What this stand-in has, and the chart version that it stands in for.
EXPECTED = {
    "kafka": (versions.KAFKA_CHART, versions.KAFKA),
    "postgresql": (versions.POSTGRESQL_CHART, versions.POSTGRESQL),
    "redis": (versions.REDIS_CHART, versions.REDIS),
}


def loaded(name: str, file: str) -> Any:
    return yaml.safe_load((CHARTS / name / file).read_text())


def refused(values: Mapping[str, Any], schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of values that the schema does not name."""
    for key, value in values.items():
        if key not in schema["properties"]:
            yield f"{path}{key}"
        elif "properties" in schema["properties"][key]:
            yield from refused(value, schema["properties"][key], f"{path}{key}.")


@pytest.mark.parametrize("name", EXPECTED)
def test_a_chart_has_the_real_charts_version_and_our_images(name: str) -> None:
    chart = loaded(name, "Chart.yaml")
    assert (chart["version"], chart["appVersion"]) == EXPECTED[name]
    image = loaded(name, "values.yaml")["image"]
    store = next(store for store in stores.STORES if store.name == name)
    reference = f"{image['registry']}/{image['repository']}:{image['tag']}"
    assert reference == f"dev.local/{store.name}:{store.tag}", "the default image is not one that stores.py builds"


@pytest.mark.parametrize("name", EXPECTED)
def test_the_schema_knows_every_value_and_refuses_all_others(name: str) -> None:
    schema = json.loads((CHARTS / name / "values.schema.json").read_text())
    assert list(refused(loaded(name, "values.yaml"), schema)) == [], "the chart's own defaults would be refused"
    assert schema["additionalProperties"] is False, "a value that the stand-in ignores would pass unseen"


def helper(chart: str, name: str) -> Any:
    """What a template of the chart's _helpers.tpl says, of those that are plain YAML."""
    text = (CHARTS / chart / "templates" / "_helpers.tpl").read_text()
    found = re.search(rf'define "{name}" -}}}}\n(.*?){{{{- end', text, re.DOTALL)
    assert found, f"{chart} has no {name}"
    return yaml.safe_load(found[1])


@pytest.mark.parametrize("name", EXPECTED)
def test_a_stores_container_runs_as_non_root_without_capabilities(name: str) -> None:
    pod, container = helper(name, "pod")["securityContext"], helper(name, "container")["securityContext"]
    assert pod["runAsNonRoot"] is True and pod["runAsUser"] == slim_root.USER_ID, "the server runs as root"
    assert container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }, "a broken server could do more than serve"


def test_an_image_runs_as_non_root_unless_it_says_so() -> None:
    assert Image(reference="dev.local/any:1", layers=[], entrypoint=["/any"]).user == "65532"


def test_maven_resolves_the_kafka_that_the_image_is_tagged_with() -> None:
    pom = (kafka_runtime.SCRIPTS / "pom.xml").read_text()
    assert f"<artifactId>kafka_2.13</artifactId>\n      <version>{versions.KAFKA}</version>" in pom

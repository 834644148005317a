"""The user's kubeconfig: found as kubectl finds it, one context of it taken, never written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.cluster.kubeconfig import KubeconfigError, of_context


def write(file: Path, *names: str, **cluster: Any) -> Path:
    """A kubeconfig with a context, a cluster and a user of each name."""
    body = {"server": "https://example.test", **cluster}
    config = {
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in names],
        "clusters": [{"name": name, "cluster": body} for name in names],
        "users": [{"name": name, "user": {"token": f"token-of-{name}"}} for name in names],
        "current-context": names[0] if names else "",
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(config))
    return file


def test_one_context_is_taken_with_its_cluster_and_its_user_alone(tmp_path: Path) -> None:
    file = write(tmp_path / "config", "mine", "other")
    before = file.read_bytes()
    found = of_context("mine", str(file))
    assert found["current-context"] == "mine", "another cluster would be changed"
    assert [user["name"] for user in found["users"]] == ["mine"], "credentials of another cluster go along"
    assert file.read_bytes() == before, "the user's kubeconfig is written"


def test_the_current_context_is_not_used_instead(tmp_path: Path) -> None:
    file = write(tmp_path / "config", "current", "wanted")
    assert of_context("wanted", str(file))["clusters"][0]["name"] == "wanted", "the wrong cluster is changed"


def test_the_files_of_the_variable_are_read_and_the_first_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write(tmp_path / "first", "both", server="https://first.test")
    second = write(tmp_path / "second", "both", "late", server="https://second.test")
    monkeypatch.setenv("KUBECONFIG", f"{first}:{tmp_path / 'none'}:{second}")
    assert of_context("both")["clusters"][0]["cluster"]["server"] == "https://first.test", "kubectl takes the first"
    assert of_context("late")["clusters"][0]["cluster"]["server"] == "https://second.test", "the second is not read"


def test_without_the_variable_it_is_the_one_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / ".kube" / "config", "mine")
    assert of_context("mine")["current-context"] == "mine"


def test_paths_inside_begin_at_the_file(tmp_path: Path) -> None:
    file = write(tmp_path / "config", "mine", **{"certificate-authority": "ca.crt"})
    cluster = of_context("mine", str(file))["clusters"][0]["cluster"]
    assert cluster["certificate-authority"] == str(tmp_path / "ca.crt"), "it is looked for where the program runs"


def test_an_unknown_context_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    file = write(tmp_path / "config", "one", "two")
    with pytest.raises(KubeconfigError) as raised:
        of_context("three", str(file))
    message = str(raised.value)
    assert "no context three" in message and "one, two" in message and str(file) in message
    assert "pulumi config set --path 'knative-releases:cluster.context'" in message, "no way out"
    assert "token-of" not in message, "a credential is told to whoever reads the log"


def test_no_file_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match="no context at all"):
        of_context("mine", str(tmp_path / "none"))


def test_a_context_whose_user_is_missing_is_told(tmp_path: Path) -> None:
    file = write(tmp_path / "config", "mine")
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "users": []}))
    with pytest.raises(KubeconfigError, match="user mine"):
        of_context("mine", str(file))


def test_a_file_that_is_no_kubeconfig_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("- a list")
    with pytest.raises(KubeconfigError, match="is no kubeconfig"):
        of_context("mine", str(file))

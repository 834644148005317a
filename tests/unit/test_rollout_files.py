"""A rollout where `services` names a file or a folder: it changes the service's own file, and nothing else."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest import mock

import pytest
import yaml

import settings
from rollout import RolloutError, machine, plan
from rollout.configuration import Configuration
from settings.rollouts import Rollout, service_settings

CART = """# Of the shop's team.
image: ghcr.io/acme/cart:v1
stable: {version: "1.10", tag: current}  # never without its tag
tracks:
  canary: {version: v3, env: {SINCE: 2026-11-23}}  # percent defaults to canaryPercent
"""
OTHER = "image: ghcr.io/acme/other:v1  # as it is\n"
ONE_FILE = """# Of everybody.
cart:
  image: ghcr.io/acme/cart:v1  # ours
  stable: {version: "1.10", tag: current}  # never without its tag
other:
  image: ghcr.io/acme/other:v1  # as it is
"""
STACK = "config:\n  knative-releases:application: none\n  knative-releases:services: {named}  # of the teams\n"


def stack(folder: Path, named: str) -> Configuration:
    """A stack whose services are in a file or a folder."""
    (folder / "Pulumi.dev.yaml").write_text(STACK.format(named=named))
    return Configuration(folder / "Pulumi.dev.yaml")


@pytest.fixture
def in_folder(tmp_path: Path) -> Configuration:
    """Two services, each in a file of its own."""
    (tmp_path / "services").mkdir()
    (tmp_path / "services/cart.yaml").write_text(CART)
    (tmp_path / "services/other.yaml").write_text(OTHER)
    return stack(tmp_path, "services")


@pytest.fixture
def in_file(tmp_path: Path) -> Configuration:
    """Two services in one file."""
    (tmp_path / "all.yaml").write_text(ONE_FILE)
    return stack(tmp_path, "all.yaml")


def write(configuration: Configuration, rollout: Rollout, service: str = "cart") -> None:
    """Write a state."""
    configuration.write(service, service_settings(rollout), rollout.exported())


def started(configuration: Configuration, service: str = "cart") -> Rollout:
    """A rollout at its first step."""
    return machine.started(Rollout(to="v2"), "r1", configuration.entry(service))


def loaded(configuration: Configuration) -> settings.Settings:
    """What the program makes of the configuration."""
    return settings.load(configuration.raw(), configuration.file.parent)


def texts(configuration: Configuration) -> dict[str, str]:
    """Every file of the project, by its path."""
    folder = configuration.file.parent
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_a_services_own_file_has_its_shares_and_its_rollout(in_folder: Configuration) -> None:
    before, others = texts(in_folder), in_folder.others("cart")
    rollout = started(in_folder)
    write(in_folder, rollout)
    after = texts(in_folder)
    assert {name for name in after if after[name] != before.get(name)} == {"services/cart.yaml"}
    for kept in ("# Of the shop's team.", "# never without its tag", "# percent defaults to canaryPercent", '"1.10"'):
        assert kept in after["services/cart.yaml"], f"{kept} is gone"
    assert in_folder.entry("cart") == service_settings(rollout) and in_folder.rollout("cart") == rollout.exported()
    assert in_folder.others("cart") == others, "the rollout is taken for a change by another hand"
    found = loaded(in_folder)
    assert found.services["cart"].tracks["candidate"].percent == 5, "the program reads another file"
    assert found.rollouts["cart"] == rollout
    write(in_folder, machine.aborted(rollout))
    after_abort = yaml.safe_load((in_folder.file.parent / "services/cart.yaml").read_text())
    del after_abort["rollout"]
    assert after_abort == yaml.load(CART, yaml.BaseLoader), "back to what it said"


def test_one_file_of_all_services_has_them_too(in_file: Configuration) -> None:
    stack_file, rollout = in_file.file.read_text(), started(in_file)
    write(in_file, rollout)
    text = (in_file.file.parent / "all.yaml").read_text()
    for kept in ("# Of everybody.", "# ours", "# never without its tag", "other:v1  # as it is"):
        assert kept in text, f"{kept} is gone"
    assert in_file.file.read_text() == stack_file
    assert in_file.entry("cart") == service_settings(rollout) and in_file.rollout("cart") == rollout.exported()
    assert loaded(in_file).rollouts["cart"] == rollout
    write(in_file, machine.failed(rollout, "bad"))
    assert in_file.entry("cart") == rollout.progress.before


def test_several_services_below_one_key_of_a_folders_file(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    indented = "".join(f"  {line}" for line in ONE_FILE.splitlines(keepends=True))
    (tmp_path / "services/shop.yaml").write_text(f"services:\n{indented}")
    configuration = stack(tmp_path, "services")
    rollout = started(configuration)
    write(configuration, rollout)
    assert [file.name for file in (tmp_path / "services").iterdir()] == ["shop.yaml"]
    assert loaded(configuration).rollouts["cart"] == rollout
    assert "# as it is" in (tmp_path / "services/shop.yaml").read_text()


@pytest.mark.parametrize("text", [None, "", "# nothing yet\n"])
def test_a_service_without_an_entry_has_none_again_after_the_way_back(
    in_folder: Configuration, text: str | None
) -> None:
    file = in_folder.file.parent / "services/frontend.yaml"
    if text is not None:
        file.write_text(text)
    assert in_folder.entry("frontend") is None
    rollout = started(in_folder, "frontend")
    write(in_folder, rollout, "frontend")
    assert (in_folder.entry("frontend") or {})["tracks"]["candidate"]["percent"] == 5
    write(in_folder, machine.failed(rollout, "bad"), "frontend")
    assert in_folder.entry("frontend") is None and in_folder.rollout("frontend")
    assert file.read_text().startswith(text or ""), "a comment is gone"


def test_a_write_that_dies_leaves_the_file_of_before(in_folder: Configuration, monkeypatch: pytest.MonkeyPatch) -> None:
    before = texts(in_folder)
    monkeypatch.setattr(os, "fsync", mock.Mock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(RolloutError, match=r"cart.yaml cannot be written \(No space left on device\)"):
        write(in_folder, started(in_folder))
    assert texts(in_folder) == before


def test_a_mode_of_the_file_stays(in_folder: Configuration) -> None:
    file = in_folder.file.parent / "services/cart.yaml"
    file.chmod(0o640)
    write(in_folder, started(in_folder))
    assert file.stat().st_mode & 0o777 == 0o640


def test_files_that_cannot_be_read_are_reported_all_at_once(in_folder: Configuration) -> None:
    folder = in_folder.file.parent / "services"
    (folder / "broken.yaml").write_text("{broken\n")
    (folder / "list.yaml").write_text("- a\n")
    with pytest.raises(RolloutError, match=r"(?s)broken.yaml.*list.yaml"):
        in_folder.entry("cart")
    with pytest.raises(RolloutError, match="absent"):
        stack(in_folder.file.parent, "absent").entry("cart")


def test_a_plan_is_judged_with_all_services_and_its_problems_name_the_file(in_folder: Configuration) -> None:
    folder = in_folder.file.parent
    first = plan.checked("cart", Rollout(to="v2"), "r1", in_folder, folder)
    assert first.progress.before == in_folder.entry("cart")
    (folder / "services/cart-candidate.yaml").write_text("image: ghcr.io/acme/other:v1\n")
    with pytest.raises(RolloutError) as raised:
        plan.checked("cart", Rollout(to="v2"), "r1", in_folder, folder)
    assert "services/cart" in str(raised.value) and "pulumi config" not in str(raised.value)


def test_the_file_to_look_into_is_named(in_folder: Configuration, tmp_path: Path) -> None:
    assert in_folder.place("cart") == "services/cart.yaml"
    (tmp_path / "Pulumi.x.yaml").write_text("config: {}\n")
    assert Configuration(tmp_path / "Pulumi.x.yaml").place("cart") == "Pulumi.x.yaml"

"""The build's order, its account of a failure and what it leaves behind, with steps that only say something."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from offline import __main__ as command
from offline import build, go_builds, steps, versions


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Steps replaced by a shell that ends at once, `kind` with an error; the list fills with what was started."""
    names: list[str] = []
    monkeypatch.setenv("KNATIVE_RELEASES_CACHE", str(tmp_path))

    def start(name: str) -> build._Running:
        names.append(name)
        log = tmp_path / f"{name}.log"
        log.write_text("\n".join(f"line {number}" for number in range(40)))
        result = "exit 3" if name == "kind" else "exit 0"
        return build._Running(subprocess.Popen(["sh", "-c", result], start_new_session=True), log)

    monkeypatch.setattr(build, "_start", start)
    return names


def test_what_a_step_needs_comes_along_and_every_need_exists() -> None:
    assert steps.with_needs(["node"]) == ["kubernetes", "etcd", "coredns", "kind", "node"]
    for step in steps.STEPS.values():
        assert set(step.needs) <= set(steps.STEPS)


def test_a_release_of_knative_that_nobody_asked_for_is_not_built() -> None:
    default, newest = versions.SERVING
    assert set(steps.STEPS) - set(steps.of_release(default)) == {f"serving-{newest}"}, "the first build gets longer"
    assert set(steps.STEPS) - set(steps.of_release(newest)) == {f"serving-{default}"}


def test_steps_run_once_each(started: list[str]) -> None:
    build.run_steps(["etcd", "coredns", "etcd"])
    assert sorted(started) == ["coredns", "etcd"]


def test_a_failure_ends_the_build_and_shows_the_end_of_the_log(started: list[str], tmp_path: Path) -> None:
    with pytest.raises(build.StepError) as failure:
        build.run_steps(["node"])
    assert "node" not in started, "a step must not start before what it needs is done"
    account = str(failure.value)
    assert "`kind`" in account and str(tmp_path / "kind.log") in account
    assert "line 39" in account and "line 10\n" not in account


@pytest.mark.usefixtures("started")
def test_a_failing_build_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["build", "--only", "kind"]) == 1
    assert "To go on where it stopped: python -m offline build --only kind" in capsys.readouterr().err


def test_links_replace_earlier_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, target = tmp_path / "first", tmp_path / "second", tmp_path / "bin"
    for folder in (first, second):
        folder.mkdir()
        (folder / "kind").write_text("")
    for folder in (first, second):
        monkeypatch.setattr(go_builds, "binaries", lambda _name, folder=folder: folder)
        command.link_commands(target, ["kind"])
    assert [(link.name, link.readlink()) for link in target.iterdir()] == [("kind", second / "kind")]

"""What comes from elsewhere is read first: all that is missing is told at once, and no resource is registered."""

from __future__ import annotations

from pathlib import Path

from tests.unit.recording import record


def test_everything_missing_is_told_at_once_and_nothing_is_registered(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    sources = {"charts": str(tmp_path / "charts"), "archives": [str(tmp_path / "gone.tar")]}
    recorded = record({"sources": sources}, tmp_path)
    message = str(recorded.error)
    wanted = ("serving-crds.yaml", "serving-core.yaml", "kourier.yaml", "no chart kafka", "no chart redis", "gone.tar")
    assert [part for part in wanted if part not in message] == [], f"a person mends one after the other: {message}"
    assert not recorded.resources, "something was made before the sources were read"

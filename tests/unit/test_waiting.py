"""A line a minute about what is still waited for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
import pytest

from components.stores import waiting
from tests.unit.recording import record


def test_a_release_that_takes_long_is_named_until_it_is_ready(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(waiting, "EVERY", 0.02)
    made: dict[str, Any] = {}
    monkeypatch.setattr(pulumi, "ResourceHook", made.setdefault)
    waiting.hooks("the release kafka")
    arguments = mock.Mock(spec=pulumi.ResourceHookArgs)
    made["the release kafka begins"](arguments)
    time.sleep(0.5)
    made["the release kafka ends"](arguments)
    time.sleep(0.1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1 and set(lines) == {"still waiting for the release kafka, for 0 min"}, lines
    time.sleep(0.1)
    assert not capsys.readouterr().out, "it is named though it is ready"


def test_every_release_is_named(small: Path) -> None:
    recorded = record({}, small)
    for release in recorded.of_kind("Release"):
        assert f"the release {release.name} begins" in release.before_hooks, release

"""What a destroy waits for between the services and Knative."""

from __future__ import annotations

from unittest import mock

import pytest

from components.commands import ingresses_gone
from components.commands.ingresses_gone import PATH, await_gone
from components.kind.processes import CommandError


def test_it_waits_until_the_last_ingress_is_gone() -> None:
    asked: list[str] = []

    def get(path: str) -> object:
        asked.append(path)
        return {} if path == PATH.format("default", "b") and len(asked) < 5 else None

    slept: list[float] = []
    await_gone(get, "default", ["a", "b"], slept.append)
    assert slept == [1, 1], "until the answer is that there is none"
    assert set(asked) == {PATH.format("default", "a"), PATH.format("default", "b")}


def test_those_that_stay_are_told_and_knative_is_left() -> None:
    with (
        mock.patch.object(ingresses_gone, "SECONDS", 0.0),
        pytest.raises(CommandError, match=r"ingresses of b in default.*kubectl get pods.*pulumi destroy"),
    ):
        await_gone(lambda path: {} if path.endswith("/b") else None, "default", ["a", "b"], lambda _: None)


def test_a_service_in_another_namespace_is_asked_for_there() -> None:
    asked: list[str] = []
    await_gone(asked.append, "default", ["a", "shop/b"], lambda _: None)
    assert asked == [PATH.format("default", "a"), PATH.format("shop", "b")]

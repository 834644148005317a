"""The engine asks all resources' transforms and hooks at one server of the program."""

from __future__ import annotations

import asyncio
import contextvars

import pytest
from pulumi.runtime import settings

from components import callbacks


def test_resources_of_all_tasks_share_one_server(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []

    async def started_anew() -> object:
        if settings.SETTINGS.callbacks is None:
            started.append(object())
            settings.SETTINGS.callbacks = started[-1]  # as the SDK does it, in the task of a resource
        return settings.SETTINGS.callbacks

    async def of_three_resources() -> list[object]:
        return list(await asyncio.gather(*(asyncio.ensure_future(settings._get_callbacks()) for _ in range(3))))

    async def program() -> tuple[list[object], list[object]]:
        settings.SETTINGS.callbacks = None
        alone = await of_three_resources()
        callbacks.shared()
        return alone, await of_three_resources()

    monkeypatch.setattr(settings, "_get_callbacks", started_anew)
    alone, shared = contextvars.Context().run(asyncio.run, program())
    assert len(set(map(id, alone))) == 3, "the SDK shares it by itself: components/callbacks.py can go"
    assert len(set(map(id, shared))) == 1, "each resource starts a server, and the engine connects to each"

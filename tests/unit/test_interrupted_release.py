"""What an interrupted Helm release leaves, and what is done about it before the next one."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import mock

import pulumi
import pytest

from components.stores.interrupted_release import PENDING, hooks

EVERY = "owner=helm,name=kafka"
RECORD = "sh.helm.release.v1.kafka.v1"


def run(ours: bool, records: list[str], when: str) -> tuple[mock.Mock, mock.Mock, list[str]]:
    """Run the hook of a moment: what was looked for, the removal that was asked for, and what was logged."""
    told: list[str] = []
    made: list[Any] = []
    with (
        mock.patch("pulumi.ResourceHook", lambda name, mend: made.append((name, mend))),
        mock.patch("components.stores.helm_records.found", return_value=records) as found,
        mock.patch("components.stores.helm_records.forget") as forget,
        mock.patch("pulumi.log.warn", told.append),
    ):
        kubeconfig = mock.Mock(future=mock.AsyncMock(return_value="the kubeconfig"))
        hooks("kafka", "default", kubeconfig, ours)
        asyncio.run(dict(made)[f"default-kafka-{when}"](mock.Mock(spec=pulumi.ResourceHookArgs)))
    return found, forget, told


@pytest.mark.parametrize(("when", "selector"), [("install", EVERY), ("upgrade", f"{EVERY},{PENDING}")])
def test_on_the_stacks_own_cluster_the_record_goes(when: str, selector: str) -> None:
    found, forget, told = run(True, [RECORD], when)
    assert found.call_args.args == ("the kubeconfig", "default", selector)
    assert forget.call_args.args == ("the kubeconfig", "default", [RECORD]), "the next `up` is blocked for good"
    assert "the release kafka unfinished" in told[0], "something is removed without a word"


def test_a_first_installation_removes_nothing_and_says_nothing() -> None:
    _, forget, told = run(True, [], "install")
    assert not forget.called and not told


def test_on_another_cluster_nothing_is_removed_and_the_command_is_told() -> None:
    with pytest.raises(pulumi.RunError, match=f"kubectl delete secret --namespace default --selector '{EVERY}'"):
        run(False, [RECORD], "install")

"""What an interrupted Helm release says, and what is done about it."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import mock

import pulumi
import pytest

from components.interrupted_release import IN_PROGRESS, IN_USE, error_hook, records

OURS = "owner=helm,name=kafka"


@pytest.mark.parametrize(
    ("error", "selector"),
    [
        (f"create: {IN_USE}", OURS),
        (f"upgrade: {IN_PROGRESS}", f"{OURS},status in (pending-install,pending-upgrade,pending-rollback)"),
        ("timed out waiting for the condition", None),
    ],
)
def test_only_records_that_stand_in_the_way_are_named(error: str, selector: str | None) -> None:
    assert records("kafka", error) == selector


def retried(error: str, ours: bool, removed: list[str]) -> tuple[bool, mock.Mock, list[str]]:
    """Whether a failed release is tried again; the removal that was asked for, and what was logged."""
    told: list[str] = []
    hooks: list[Any] = []
    with (
        mock.patch("pulumi.ErrorHook", lambda _, mend: hooks.append(mend)),
        mock.patch("components.helm_records.forget", return_value=removed) as forget,
        mock.patch("pulumi.log.error", told.append),
        mock.patch("pulumi.log.warn", told.append),
    ):
        kubeconfig = mock.Mock(future=mock.AsyncMock(return_value="the kubeconfig"))
        error_hook("kafka", "default", kubeconfig, ours)
        args = mock.Mock(spec=pulumi.ErrorHookArgs, errors=["1 error occurred:", error])
        again: bool = asyncio.run(hooks[0](args))
    return again, forget, told


def test_on_the_stacks_own_cluster_the_record_goes_and_the_release_is_tried_again() -> None:
    again, forget, told = retried(IN_USE, True, ["sh.helm.release.v1.kafka.v1"])
    assert again and forget.call_args.args == ("the kubeconfig", "default", OURS), "the next `up` is blocked for good"
    assert "sh.helm.release.v1.kafka.v1" in told[0], "something is removed without a word"


def test_it_is_not_tried_again_where_nothing_was_removed() -> None:
    assert not retried(IN_USE, True, [])[0], "the same error for ever"


def test_on_another_cluster_nothing_is_removed_and_the_command_is_told() -> None:
    again, forget, told = retried(IN_USE, False, [])
    assert not again and not forget.called, "somebody else's release was touched"
    assert f"kubectl delete secret --namespace default --selector '{OURS}'" in told[0]


def test_another_error_is_left_as_it_is() -> None:
    again, forget, told = retried("no such chart", True, [])
    assert not again and not forget.called and not told

"""No debug message of the SDK holds a secret."""

from __future__ import annotations

from unittest import mock

import pulumi

from components.debug_log import SECRET, without_secrets
from tests.unit import registration


def test_a_message_with_a_secret_is_told_without_it() -> None:
    said: list[str] = []
    with mock.patch("components.debug_log._say", said.append), mock.patch("pulumi.log.debug"):
        without_secrets()
        pulumi.log.debug(f"register resource outputs prepared: urn=u, props={SECRET} hunter2")
        pulumi.log.debug("resource registration successful: urn=u")
    assert said == ["register resource outputs prepared: urn=u, … [secret]", "resource registration successful: urn=u"]


def test_the_mark_is_the_one_on_the_wire() -> None:
    assert SECRET == registration.SECRET

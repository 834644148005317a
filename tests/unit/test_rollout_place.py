"""Where locks and histories of rollouts are."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollout.__main__ import folder
from toolchain.state import Checkout

CHECKOUT = Checkout(Path("/checkout"))


@pytest.mark.parametrize(
    ("backend", "wanted"),
    [
        (CHECKOUT.backend, "/checkout/.local/rollouts"),
        ("s3://everybodys", "/checkout/.local/rollouts"),
        ("file:///shared/state", "/shared/rollouts"),
        ("file:///shared/state?no_tmp_dir=true", "/shared/rollouts"),
        ("file://./state", "/checkout/rollouts"),
        ("file://~", "/home/somebody/.pulumi/rollouts"),
        ("file://~/state", "/home/somebody/rollouts"),
    ],
)
def test_they_are_beside_the_state_if_it_is_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, backend: str, wanted: str
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert folder(backend, CHECKOUT) == Path(wanted)

"""Says each minute what an update still waits for: a Helm release, which says nothing itself until it is ready."""

from __future__ import annotations

import threading
import time

import pulumi

EVERY = 60.0
"""Seconds between two lines."""


def hooks(what: str) -> pulumi.ResourceHookBinding:
    """Hooks of a resource that may take long to become ready. what: names it, uniquely, for people."""
    ended = threading.Event()

    def begins(_: pulumi.ResourceHookArgs) -> None:
        ended.clear()
        threading.Thread(target=_tell, args=(what, ended), daemon=True).start()  # goes when the program does

    def ends(_: pulumi.ResourceHookArgs) -> None:
        ended.set()

    before, after = pulumi.ResourceHook(f"{what} begins", begins), pulumi.ResourceHook(f"{what} ends", ends)
    return pulumi.ResourceHookBinding(
        before_create=[before], after_create=[after], before_update=[before], after_update=[after]
    )


def _tell(what: str, ended: threading.Event) -> None:
    begun = time.monotonic()
    while not ended.wait(EVERY):
        print(f"still waiting for {what}, for {(time.monotonic() - begun) / 60:.0f} min", flush=True)

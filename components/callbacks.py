"""One server for all that the engine asks of the program: transforms and hooks.

The SDK (3.229) keeps its server in a context variable, and sets that in the task of the resource that needs it first. A
task has a copy of its context, so each resource with a transform starts a gRPC server of its own, which the engine
connects to: 201 servers for 100 services were seen. Set in the program's own context, before any resource, the server
is shared.
"""

from __future__ import annotations

import pulumi
from pulumi.runtime import settings
from pulumi.runtime.sync_await import _sync_await


def shared() -> None:
    """Start the server, for all resources that are made from now on. An SDK that keeps it otherwise is left alone."""
    found = getattr(settings, "SETTINGS", None), getattr(settings, "_get_callbacks", None)
    if None in found or not hasattr(found[0], "callbacks"):
        pulumi.log.debug("the SDK keeps its callbacks in another place: each resource may start a server of its own")
        return
    settings.SETTINGS.callbacks = _sync_await(settings._get_callbacks())

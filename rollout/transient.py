"""What the text of a failed update says about trying again. Pure.

An update fails because of what it makes (the candidate does not get ready), because of what it was given (a wrong
passphrase), or because something else was away for a moment. Only texts tell these apart: pulumi has one exit code.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["locked", "transient", "permanent", "unknown"]
"""`locked`: another update runs. `transient`: something beside it was away. `permanent`: no further try helps."""

NOT_READY = re.compile(r"timed out waiting for the condition|is not ready; its traffic stays", re.IGNORECASE)
"""Of pulumi-kubernetes' wait and of `components.release.diagnosis`. What pods and registries say stands below it, so it
is looked for first: a `connection refused` there is the candidate's.
"""
TABLE: tuple[tuple[Kind, str], ...] = (
    ("locked", r"the stack is currently locked by \d+ lock"),  # self-managed backends
    ("locked", r"\[409\] Conflict: Another update is currently in progress"),  # Pulumi Cloud
    ("permanent", r"incorrect passphrase"),
    ("permanent", r"passphrase must be set with PULUMI_CONFIG_PASSPHRASE"),
    ("permanent", r"no stack named '.*' found"),
    ("permanent", r"\d+ problems? in the stack's configuration"),  # of settings.problems
    ("permanent", r"\[40[13]\] |PULUMI_ACCESS_TOKEN must be set"),
    ("transient", r"etcdserver: "),  # request timed out, leader changed, too many requests
    ("transient", r"the server (is currently|was) unable to (handle|return)"),  # 503 and 504 of the API server
    ("transient", r"the server has received too many requests"),
    ("transient", r"the object has been modified; please apply your changes to the latest version"),
    ("transient", r"failed calling webhook"),  # the webhook's pod is away; a denial says `denied the request`
    ("transient", r"connection (refused|reset by peer|timed out)|network is unreachable|no route to host"),
    ("transient", r"i/o timeout|TLS handshake timeout|context deadline exceeded|Client\.Timeout exceeded"),
    ("transient", r"http2: client connection lost|unexpected EOF|\bEOF$|broken pipe|apiserver is shutting down"),
    ("transient", r"temporary failure in name resolution|no such host|server misbehaving"),
    (
        "transient",
        r"configured Kubernetes cluster is unreachable|unable to load schema information from the API server",
    ),
    ("transient", r"error reading from server|rpc error: code = Unavailable|transport is closing"),
    ("transient", r"(signal: |exit status \d+.*)killed|plugin .* exited prematurely|could not connect to plugin"),
    ("transient", r"\b(429|500|502|503|504) (Too Many|Internal Server|Bad Gateway|Service Unavailable|Gateway)"),
    ("transient", r"cannot allocate memory|too many open files|no space left on device"),
)
_COMPILED = [(kind, re.compile(pattern, re.IGNORECASE | re.MULTILINE)) for kind, pattern in TABLE]


def kind_of(text: str) -> Kind:
    """What a failed update's text is. The first line of the table that is found decides."""
    if NOT_READY.search(text):
        return "unknown"
    return next((kind for kind, pattern in _COMPILED if pattern.search(text)), "unknown")


LONGEST_PAUSE_SECONDS = 60.0
WAY_BACK_SECONDS = 6 * 3600.0
"""How long the update of an end is tried again: nobody else would make it, and a bad version may have its share."""
STEP_TRIES = 6
"""Updates of a forward step in all, where it is a transient error that each of them fails by: the pauses between them
add up to a minute.
"""
LOCK_SECONDS = 600.0
"""How long a forward step waits for the update of somebody else."""


def again(kind: Kind, ends: bool, tries: int, seconds: float) -> bool:
    """Whether an update that failed is tried again.

    kind: of its error.
    ends: whether it is the update of an end: the way back, or the last one of a promotion.
    tries: how many there were.
    seconds: since the first one began.
    """
    if kind == "permanent":
        return False
    if ends:
        return seconds < WAY_BACK_SECONDS
    if kind == "locked":
        return seconds < LOCK_SECONDS
    return kind == "transient" and tries < STEP_TRIES


def pause(tries: int) -> float:
    """Seconds before the next try: 2, 4, 8, … up to a minute."""
    return float(min(2.0 ** min(tries, 10), LONGEST_PAUSE_SECONDS))

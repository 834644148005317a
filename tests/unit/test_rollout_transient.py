"""Which failed updates are tried again: each known text, with where it comes from, and how long."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rollout.transient import LOCK_SECONDS, STEP_TRIES, TABLE, WAY_BACK_SECONDS, again, kind_of, pause

TEXTS = {
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end": "locked",
    "error: [409] Conflict: Another update is currently in progress.": "locked",
    "error: getting secrets manager: passphrase: incorrect passphrase": "permanent",
    "error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE": "permanent",
    "error: no stack named 'dev' found": "permanent",
    "error: 2 problems in the stack's configuration; nothing was changed:\n  - services": "permanent",
    "error: [401] Unauthorized: No credentials provided or are invalid.": "permanent",
    "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions": "permanent",
    "error: etcdserver: request timed out": "transient",
    "etcdserver: leader changed": "transient",
    "error: the server is currently unable to handle the request (patch services.serving.knative.dev x)": "transient",
    "the server was unable to return a response in the time allotted, but may still be processing": "transient",
    "error: the server has received too many requests and has asked us to try again later": "transient",
    'Operation cannot be fulfilled on services "x": the object has been modified; please apply your changes to the '
    "latest version and try again": "transient",
    'Internal error occurred: failed calling webhook "webhook.serving.knative.dev": Post "https://webhook": EOF': (
        "transient"
    ),
    "dial tcp 127.0.0.1:6443: connect: connection refused": "transient",
    "read tcp 10.0.0.1:1->10.0.0.2:443: read: connection reset by peer": "transient",
    "dial tcp 10.0.0.1:6443: connect: no route to host": "transient",
    'Get "https://10.0.0.1:6443/api": net/http: TLS handshake timeout': "transient",
    "error: context deadline exceeded": "transient",
    "http2: client connection lost": "transient",
    'Patch "https://127.0.0.1:6443/apis": unexpected EOF': "transient",
    "dial tcp: lookup api.example.com on 10.0.0.2:53: server misbehaving": "transient",
    "dial tcp: lookup api.example.com: no such host": "transient",
    "error: configured Kubernetes cluster is unreachable: unable to load schema information from the API server": (
        "transient"
    ),
    "error: rpc error: code = Unavailable desc = error reading from server: EOF": "transient",
    "resource plugin kubernetes exited prematurely: plugin [/p] exited prematurely": "transient",
    'error: blob (key "x") (code=Unknown): 503 Service Unavailable': "transient",
    "fork/exec /usr/bin/python3: cannot allocate memory": "transient",
    "error: write /state/x.json: no space left on device": "transient",
    # What pods say is the candidate's, and what nobody has seen is no reason to go on with it.
    "error: timed out waiting for the condition\n x: dial tcp 10.0.0.9:5432: connect: connection refused": "unknown",
    "error: Configuration x is not ready; its traffic stays where it was\n  pull: i/o timeout": "unknown",
    'error: admission webhook "p" denied the request: no': "unknown",
    'error: pods "x" is forbidden: exceeded quota: small': "unknown",
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_known_text_is_told_by_its_words(text: str) -> None:
    assert kind_of(text) == TEXTS[text]


def test_each_line_of_the_table_is_one_that_a_text_needs() -> None:
    idle = [pattern for _, pattern in TABLE if not any(re.search(pattern, text, re.I | re.M) for text in TEXTS)]
    assert not idle


@pytest.mark.parametrize("kind", ["locked", "transient", "unknown"])
def test_an_end_is_tried_again_for_hours(kind: Any) -> None:
    assert WAY_BACK_SECONDS >= 4 * 3600 and again(kind, True, 1000, WAY_BACK_SECONDS - 1)
    assert not again(kind, True, 1, WAY_BACK_SECONDS)


def test_a_step_is_tried_again_a_stated_number_of_times_and_a_lock_is_waited_for() -> None:
    assert again("transient", False, STEP_TRIES - 1, 0) and not again("transient", False, STEP_TRIES, 0)
    assert again("locked", False, 1000, LOCK_SECONDS - 1) and not again("locked", False, 1, LOCK_SECONDS)
    assert not again("unknown", False, 1, 0)


@pytest.mark.parametrize("ends", [True, False])
def test_what_no_further_try_helps_is_not_tried_again(ends: bool) -> None:
    assert not again("permanent", ends, 1, 0)


def test_pauses_double_up_to_a_minute() -> None:
    assert [pause(tries) for tries in (1, 2, 3, 5, 6, 50)] == [2, 4, 8, 32, 60, 60]

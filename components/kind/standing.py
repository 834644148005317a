"""Whether the cluster that a stack made still stands: asked by the program at every preview and update.

The engine compares settings with settings: it would not notice that the cluster behind them is gone. Standard library
only.
"""

from __future__ import annotations

import http.client
import secrets
import ssl
import time
from collections.abc import Callable

from components.kind.creation import unfinished
from components.kind.nodes import Cluster, clusters
from components.kind.processes import CommandError, say

API_SECONDS = 90.0
"""Longest wait for the Kubernetes API of a node that has just been started."""
_WAYS_OUT = {"exited": "start", "created": "start", "paused": "unpause"}


def creation_word(owner: str, name: str, port: int, announce: Callable[[], None] = lambda: None) -> str:
    """The word in the markers of the owner's cluster of this name and port; a new one where no such cluster stands.

    announce: called where the word is a new one, so that a cluster will be made.

    It is a trigger of the cluster: a lost cluster is made again, with all that was in it, by the same update that
    notices the loss. Raises CommandError when Docker does not answer, or when the cluster's node does not run.
    """
    there = clusters().get(name)
    # The marker of an unfinished one is in no state: it never became a cluster.
    ours = there and there.belongs_to(owner) and there.markers != {unfinished(owner)}
    if not there or not ours or port not in there.ports:
        announce()
        return secrets.token_hex(4)
    _assert_running(there)
    for node in there.nodes:
        if node.api_port:
            _await_api(node.api_port)
    return min(there.markers).removeprefix(f"{owner}-").partition("-")[0]


def _assert_running(cluster: Cluster) -> None:
    problems = [
        f"the node {node.name} of this stack's cluster is there, but Docker says that it is {node.status}. "
        f"Its data is kept. Go on with: docker {_WAYS_OUT.get(node.status, 'restart')} {node.name} && pulumi up"
        for node in cluster.nodes
        if node.status != "running"
    ]
    if problems:
        raise CommandError("\n".join(problems))


def _await_api(port: int) -> None:
    """Wait until the Kubernetes API says that it is ready: a node that was started again needs some seconds."""
    begun = time.monotonic()
    said = False
    while problem := _api_problem(port):
        if time.monotonic() - begun > API_SECONDS:
            raise CommandError(
                f"the Kubernetes API of this stack's cluster, at 127.0.0.1:{port}, is not ready after "
                f"{API_SECONDS:g} s: {problem}. Wait and try again, or make a new cluster (what is in it is lost): "
                "pulumi destroy && pulumi up"
            )
        if not said:
            say(f"waiting for the Kubernetes API at 127.0.0.1:{port}")
            said = True
        time.sleep(1)


def _api_problem(port: int) -> str:
    """Why the API is not ready; empty when it is. What it says is no secret, and asks for none."""
    # Only whether something answers is asked: nothing is sent, so nothing has to be verified.
    unverified = ssl._create_unverified_context()  # nosec B323
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=unverified)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return "" if answer.status == 200 else f"it answers {answer.status}"
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()

"""Waits until the ingresses of deleted services are gone: `pulumi destroy` runs it between the services and Knative.

    python3 -m components.commands.ingresses_gone

By environment: CLUSTER_CONTEXT, CLUSTER_KUBECONFIG (empty: where kubectl looks for it), STACK, NAMESPACE, SERVICES
(names with spaces between them; `<namespace>/<name>` for one in another namespace). Ends with 1, and says why, where
they stay or the cluster cannot be asked.

A Service is deleted at once, and its pods drain for as long as they need. But its ingress (a KIngress of the same name)
has a finalizer, which only Knative's controllers take away: without them it stays, and its definition too.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from components.commands.asked import asked
from components.kind.processes import CommandError, told

SECONDS = 90.0
"""How long the controllers may take; a few seconds are usual."""
PATH = "/apis/networking.internal.knative.dev/v1alpha1/namespaces/{}/ingresses/{}"


def await_gone(
    get: Callable[[str], Any], namespace: str, services: Sequence[str], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait until no ingress of the services is there. Raises CommandError with those that stay.

    get: the object at a path of the API; None where there is none.
    """
    end = time.monotonic() + SECONDS
    places = {service: f"{namespace}/{service}".split("/")[-2:] for service in services}
    while left := [service for service, place in places.items() if get(PATH.format(*place)) is not None]:
        if time.monotonic() > end:
            raise CommandError(
                f"the ingresses of {', '.join(left)} in {namespace} are still there {SECONDS:g} s after their services "
                "were deleted, so Knative is left as it is: its controllers take away their finalizers. What they do: "
                "kubectl get pods --namespace knative-serving; then again: pulumi destroy"
            )
        sleep(1)


def main() -> None:
    """Wait for what the environment names. Raises CommandError."""
    context, kubeconfig, stack = (os.environ[name] for name in ("CLUSTER_CONTEXT", "CLUSTER_KUBECONFIG", "STACK"))
    with asked(context, kubeconfig, stack) as cluster:
        await_gone(cluster.get, os.environ["NAMESPACE"], os.environ["SERVICES"].split())


if __name__ == "__main__":
    sys.exit(told(main))

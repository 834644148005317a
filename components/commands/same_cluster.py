"""Whether a context still means the cluster that a stack was put into: the first thing that `pulumi destroy` runs.

    python3 -m components.commands.same_cluster

By environment: CLUSTER_CONTEXT, CLUSTER_KUBECONFIG (empty: where kubectl looks for it), CLUSTER_IDENTITY (of the
cluster that the stack was put into), STACK. Ends with 1, and says why, where it is another cluster or cannot be asked.
"""

from __future__ import annotations

import os
import sys

from components.commands.kind_nodes import CommandError, say


def same_cluster(context: str, kubeconfig: str, identity: str, stack: str) -> None:
    """Raise CommandError where the context means another cluster than the one of this identity, or none."""
    try:
        import pulumi  # noqa: PLC0415 - of the checkout's virtual environment, which the user's python3 may not be in

        from components.asked_cluster import AskedCluster, UnreachableError  # noqa: PLC0415
        from components.kubeconfig import KubeconfigError, of_context  # noqa: PLC0415
    except ImportError as error:
        raise CommandError(f"{error}. Run it with the checkout's own Python: source scripts/activate") from None
    try:
        AskedCluster(of_context(context, kubeconfig or None)).refuse_other(identity, stack)
    except (UnreachableError, KubeconfigError) as error:
        raise CommandError(
            f"{error}\nIf that cluster is gone for good: pulumi stack rm --force --preserve-config {stack}"
        ) from None
    except pulumi.RunError as error:
        raise CommandError(str(error)) from None


def main() -> int:
    """Ask; problems go to stderr as text."""
    given = (os.environ[name] for name in ("CLUSTER_CONTEXT", "CLUSTER_KUBECONFIG", "CLUSTER_IDENTITY", "STACK"))
    try:
        same_cluster(*given)
    except CommandError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

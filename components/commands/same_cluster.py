"""Whether a context still means the cluster that a stack was put into: the first thing that `pulumi destroy` runs.

    python3 -m components.commands.same_cluster

By environment: CLUSTER_CONTEXT, CLUSTER_KUBECONFIG (empty: where kubectl looks for it), CLUSTER_IDENTITY (of the
cluster that the stack was put into), STACK. Ends with 1, and says why, where it is another cluster or cannot be asked.
"""

from __future__ import annotations

import os
import sys

from components.commands.asked import asked
from components.kind.processes import told


def same_cluster(context: str, kubeconfig: str, identity: str, stack: str) -> None:
    """Raise CommandError where the context means another cluster than the one of this identity, or none."""
    with asked(context, kubeconfig, stack) as cluster:
        cluster.refuse_other(identity, stack)


if __name__ == "__main__":
    names = ("CLUSTER_CONTEXT", "CLUSTER_KUBECONFIG", "CLUSTER_IDENTITY", "STACK")
    sys.exit(told(lambda: same_cluster(*(os.environ[name] for name in names))))

"""The cluster that a context means, for the commands that `pulumi destroy` runs: it does not run the program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from components.kind.processes import CommandError

if TYPE_CHECKING:
    from components.cluster.asked import AskedCluster


@contextmanager
def asked(context: str, kubeconfig: str, stack: str) -> Iterator[AskedCluster]:
    """The cluster, to be asked within the block; what goes wrong there is a CommandError with the way out.

    kubeconfig: its file; empty: where kubectl looks for it.
    """
    try:
        import pulumi  # noqa: PLC0415 - of the checkout's virtual environment, which the user's python3 may not be in

        from components.cluster.asked import AskedCluster, RefusedError, UnreachableError  # noqa: PLC0415
        from components.cluster.kubeconfig import KubeconfigError, of_context  # noqa: PLC0415
    except ImportError as error:
        raise CommandError(f"{error}. Run it with the checkout's own Python: source scripts/activate") from None
    try:
        yield AskedCluster(of_context(context, kubeconfig or None))
    except RefusedError as error:  # the cluster is not gone: nothing of it may be forgotten
        raise CommandError(str(error)) from None
    except (UnreachableError, KubeconfigError) as error:
        raise CommandError(
            f"{error}\nIf that cluster is gone for good: pulumi stack rm --force --preserve-config {stack}"
        ) from None
    except pulumi.RunError as error:
        raise CommandError(str(error)) from None

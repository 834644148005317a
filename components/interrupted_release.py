"""Helm releases that an interrupted `up` left: Helm's record of them is in the cluster, and the state knows nothing.

Helm refuses to install what it has a record of. The record is taken away and the release is installed over what is
there: the same release by its name and namespace, so Helm takes its objects back, volumes included.
"""

from __future__ import annotations

import pulumi

IN_USE = "cannot re-use a name that is still in use"
IN_PROGRESS = "another operation (install/upgrade/rollback) is in progress"
"""How Helm says it."""
_PENDING = "status in (pending-install,pending-upgrade,pending-rollback)"


def error_hook(name: str, namespace: str, kubeconfig: pulumi.Output[str], ours: bool) -> pulumi.ErrorHook:
    """A hook that mends an interrupted installation or upgrade of a release, and lets the engine try again.

    ours: whether the cluster is the stack's own, so that a release of this name can only be its own; on another cluster
    the hook only says what to do.
    """

    async def mend(args: pulumi.ErrorHookArgs) -> bool:
        selector = records(name, "\n".join(args.errors))
        if selector is None:
            return False
        if not ours:
            command = f"kubectl delete secret --namespace {namespace} --selector '{selector}' && pulumi up"
            pulumi.log.error(
                f"Helm has a record of a release {name} in the namespace {namespace} that this stack did not finish. "
                f"If an interrupted `up` of this stack left it, go on with: {command}"
            )
            return False
        from components.helm_records import forget  # noqa: PLC0415 - slow to import, only for a failure

        removed = forget(str(await kubeconfig.future()), namespace, selector)
        pulumi.log.warn(f"an interrupted `up` left the release {name} unfinished; its record {removed} is removed")
        return bool(removed)

    return pulumi.ErrorHook(f"{namespace}-{name}-interrupted", mend)


def records(name: str, error: str) -> str | None:
    """Label selector of Helm's records that stand in the way, by what Helm said; None for other errors. Pure."""
    if IN_USE in error:
        return f"owner=helm,name={name}"
    if IN_PROGRESS in error:
        return f"owner=helm,name={name},{_PENDING}"
    return None

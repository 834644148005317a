"""Helm releases that an interrupted `up` left: Helm's record of them is in the cluster, and the state knows nothing.

Helm refuses to install what it has a record of. The record is taken away and the release is installed over what is
there: the same release by its name and namespace, so Helm takes its objects back, volumes included. Looked for before
the installation, because the engine runs error hooks only for what was made in part.
"""

from __future__ import annotations

import pulumi

PENDING = "status in (pending-install,pending-upgrade,pending-rollback)"
"""Of the labels of Helm's records: an operation that did not end."""


def hooks(name: str, namespace: str, kubeconfig: pulumi.Output[str], ours: bool) -> pulumi.ResourceHookBinding:
    """Hooks that mend an interrupted installation or upgrade of a release before the next one begins.

    ours: whether the cluster is the stack's own, so that a release of this name can only be its own; on another cluster
    the hooks refuse to go on, and say what to do.
    """

    def mends(what: str, selector: str) -> pulumi.ResourceHook:
        async def mend(_: pulumi.ResourceHookArgs) -> None:
            from components.stores.helm_records import forget, found  # noqa: PLC0415 - slow to import, and seldom needed

            config = str(await kubeconfig.future())
            records = found(config, namespace, selector)
            if records and not ours:
                raise pulumi.RunError(refusal(name, namespace, selector))
            if records:
                pulumi.log.warn(f"an interrupted `up` left the release {name} unfinished; its record is removed")
                forget(config, namespace, records)

        return pulumi.ResourceHook(f"{namespace}-{name}-{what}", mend)

    every = f"owner=helm,name={name}"
    return pulumi.ResourceHookBinding(
        before_create=[mends("install", every)], before_update=[mends("upgrade", f"{every},{PENDING}")]
    )


def refusal(name: str, namespace: str, selector: str) -> str:
    """What is told on a cluster that is not the stack's own. Pure."""
    command = f"kubectl delete secret --namespace {namespace} --selector '{selector}' && pulumi up"
    return (
        f"Helm has a record of a release {name} in the namespace {namespace} that this stack did not finish. "
        f"If an interrupted `up` of this stack left it, go on with: {command}\n"
        "If it is somebody else's, leave it alone and take another cluster: "
        "pulumi config set --path 'knative-releases:cluster.context' <context>"
    )

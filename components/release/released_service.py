"""A service whose versions share its requests by percentages and tags: the release model of the project.

Stable is the template of one Knative Service. Each further track is a Knative Configuration of its own, ready before
the Service's traffic names its revision. A track that leaves the settings is deleted after the traffic has moved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.cluster.objects import KubernetesObject, marked
from components.manifests import own
from components.release.known_revisions import newer
from components.release.plan import ReleasedServiceArgs, configuration_name, described, plan
from components.release.revision import images
from components.release.takeover import taken_over
from components.release.traffic import Target, traffic_block
from components.release.urls import CLUSTER_LOCAL, VISIBILITY_LABEL, Urls


class ReleasedService(pulumi.ComponentResource):
    """One Knative Service with its tracks."""

    url: pulumi.Output[str]
    """URL of the service: outside the cluster, unless it is reached from inside alone."""
    release: pulumi.Output[dict[str, Any]]
    """What the settings say of this service: its URL, and for each track its share, version, revision, tag URL and
    header.
    """

    def __init__(self, name: str, args: ReleasedServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("knative-releases:index:ReleasedService", name, None, opts)
        self._args = args
        self._targets, templates = plan(args)
        tracks = [self._track(each, templates[each.track]) for each in self._targets if each.track != "stable"]
        self._applied = self._service(templates["stable"], tracks)
        self.release = pulumi.Output.from_input(args.domain).apply(self.described)
        self.url = self.release.apply(lambda told: str(told["url"]))
        self.register_outputs({"url": self.url, "release": self.release})

    async def described(self, domain: str) -> dict[str, Any]:
        """The value of `release`, to put several services' together: `pulumi.Output.all` would make an Output of each
        of their values, and the SDK's time grows with the square of all Outputs. domain: of the URLs."""
        args = self._args
        status = await self._said() if args.urls_of_the_cluster else None
        inside = args.labels.get(VISIBILITY_LABEL) == CLUSTER_LOCAL
        urls = Urls(args.service_name, args.namespace, domain, args.http_port, status, inside)
        return described(args, self._targets, urls)

    def _track(self, target: Target, body: dict[str, Any]) -> pulumi.Resource:
        name = configuration_name(self._args.service_name, target.track)
        return self._object("Configuration", name, {"template": body}, [], {"name": name})

    def _service(self, body: dict[str, Any], tracks: Sequence[pulumi.Resource]) -> KubernetesObject:
        args, spec = self._args, {"template": body, "traffic": traffic_block(self._targets)}
        metadata = {
            "name": self._checked(spec),
            **({"labels": dict(args.labels)} if args.labels else {}),
            "annotations": args.annotations,
        }
        return self._object("Service", args.service_name, spec, tracks, metadata, retained=args.take_over)

    def _object(
        self,
        kind: str,
        name: str,
        spec: dict[str, Any],
        depends_on: Sequence[pulumi.Resource],
        metadata: Mapping[str, Any],
        *,
        retained: bool = False,
    ) -> KubernetesObject:
        """metadata: besides what every object of a release has.
        retained: stays in the cluster when it leaves the stack.
        """
        args = self._args
        annotations = {
            **metadata.get("annotations", {}),
            "pulumi.com/waitFor": "condition=Ready",
            # The stack decides the traffic: what kn, kubectl or a console took over is taken back, not a conflict.
            "pulumi.com/patchForce": "true",
            # The queue-proxy of every pod drains for 30 s before it ends; nobody has to wait for that.
            "pulumi.com/deletionPropagationPolicy": "background",
        }
        whole = {**metadata, "namespace": args.namespace, "annotations": annotations}
        manifest = own({"apiVersion": "serving.knative.dev/v1", "kind": kind, "metadata": whole, "spec": spec})
        limits = pulumi.CustomTimeouts(create=args.ready_within, update=args.ready_within)
        inside = args.placement.options(self, depends_on, images(spec["template"]))
        keep = args.known.keep(kind, args.namespace, name, spec, args.placement.creation)
        more = pulumi.ResourceOptions(
            custom_timeouts=limits,
            hooks=pulumi.ResourceHookBinding(on_error=[args.not_ready]) if args.not_ready else None,
            transforms=[keep],
            retain_on_delete=retained or None,
        )
        opts = pulumi.ResourceOptions.merge(inside, more)
        return KubernetesObject(name, marked(manifest, args.placement), opts)

    def _checked(self, spec: Mapping[str, Any]) -> pulumi.Output[str]:
        """The Service's name, unless the cluster's Service of that name is somebody else's. Not in the transform, whose
        errors come with a traceback.
        """
        args = self._args
        own_cluster = args.placement.owner is None

        def checked(found: Mapping[str, Any] | None) -> str:
            if said := taken_over(args.service_name, found, spec, asked_for=args.take_over, own_cluster=own_cluster):
                pulumi.info(said)
            return args.service_name

        known: pulumi.Input[Any] = args.known.service(args.namespace, args.service_name)
        return pulumi.Output.from_input(known).apply(checked)

    async def _said(self) -> Any:
        """The Service's status: of this update, or of before it where nothing was updated or the update failed; None
        where there is none yet.
        """
        args, service = self._args, self._applied
        before = await args.known.service(args.namespace, args.service_name) or {}
        try:
            after = {"metadata": await service.metadata.future(), "status": await service.status.future()}
        except Exception:  # the update of the Service failed, and its registration says so
            return before.get("status")
        return newer(before, after).get("status")

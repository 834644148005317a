"""The network of the settings: read, and compared with the environment, before anything is registered."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.cluster import network
from components.sources.resolved import ResolvedSources
from settings import Settings

PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")


def network_of(settings: Settings, sources: ResolvedSources, environ: Mapping[str, str]) -> network.Network:
    """What the settings say of the network. Raises NetworkError. environ: the process's environment."""
    given = settings.network
    found = network.read(
        network.NetworkArgs(
            http_proxy=given.proxy.http,
            https_proxy=given.proxy.https,
            no_proxy=given.proxy.no,
            ca=given.ca,
            registries=given.registries,
        )
    )
    if warning := unknown_to_the_controller(settings, sources, environ):
        pulumi.warn(warning)
    return found


def unknown_to_the_controller(settings: Settings, sources: ResolvedSources, environ: Mapping[str, str]) -> str | None:
    """What to say where the node gets a proxy from the environment and Knative's controller gets none. Pure."""
    named = next((name for name in PROXY_VARIABLES if environ.get(name)), None)
    proxy, skipped = settings.network.proxy, settings.knative.config.get("config-deployment", {})
    pulls = settings.cluster.provider == "kind" and not sources.archives  # archives: loaded, and looked up nowhere
    if not named or not pulls or proxy.http or proxy.https or SKIPPING in skipped:
        return None
    return (
        f"{named} is set, and kind hands it to a node that it makes. Knative's controller, which looks up the digest "
        "of each version's tag at its registry, gets a proxy by a setting alone: pulumi config set --path "
        "'knative-releases:network.proxy.https' http://<host>:<port> (docs/behind-a-firewall.md)"
    )


SKIPPING = "registries-skipping-tag-resolving"
"""Key of config-deployment: registries whose tags Knative does not look up."""

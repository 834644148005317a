"""Settings in, components composed, outputs out."""

import os

import pulumi

import settings as stack
from assembly.claims import claims
from assembly.cluster import cluster as cluster_of
from assembly.network import network_of
from assembly.releases import Releases, ReleasesArgs
from assembly.serving import refuse_configuration
from assembly.serving import serving as serving_on
from assembly.stores import Stores, StoresArgs, chart_versions
from components.debug_log import without_secrets
from components.secret import given_or_generated
from components.sources.images import ImageMap
from components.sources.resolved import SourceArgs, resolve

without_secrets()
settings = stack.from_stack()
images = ImageMap(settings.sources.images)
source_args = SourceArgs(
    manifests=settings.sources.manifests,
    knative_version=settings.knative.version if settings.knative.install else None,
    kourier_version=settings.knative.kourier_version,
    charts=settings.sources.charts,
    chart_versions=chart_versions(settings),
    archives=settings.sources.archives,
)
sources = resolve(source_args)

refuse_configuration(settings, sources)
network = network_of(settings, sources, os.environ)
cluster = cluster_of(settings, sources, images, network, claims(settings, sources))
on_cluster = pulumi.ResourceOptions(providers=[cluster.provider])
serving = serving_on(settings, sources, images, network, cluster)
stores_args = StoresArgs(
    settings=settings,
    charts=sources.charts,
    images=images,
    postgresql_password=given_or_generated("postgresql-password", stack.secret("postgresqlPassword")),
    redis_password=given_or_generated("redis-password", stack.secret("redisPassword")),
    placement=cluster.placement,
)
stores = Stores("stores", stores_args, on_cluster)
releases_args = ReleasesArgs(
    settings=settings,
    domain=serving.domain,
    http_port=cluster.http_port,
    image=images.redirected,
    # A service stops when its stores are missing, and a first revision that never became ready is not tried again.
    needs=stores.needs,
    placement=cluster.placement,
    urls_of_the_cluster=cluster.installed is not None,
)
on_serving = pulumi.ResourceOptions(providers=[cluster.provider], depends_on=serving.needs)
releases = Releases("conference", releases_args, on_serving)
cluster.guard([*serving.needs, stores, releases])

for name, value in {**cluster.outputs, **serving.outputs, "services": releases.releases}.items():
    pulumi.export(name, value)
pulumi.export("rollouts", {name: rollout.exported() for name, rollout in settings.rollouts.items()})

"""Settings in, components composed, outputs out."""

import os

import pulumi

import settings as stack
from app.conference import ConferenceApplication, ConferenceApplicationArgs
from app.services import SERVICES
from app.stores import ConferenceStores, ConferenceStoresArgs, chart_versions
from assembly.claims import claims
from assembly.cluster import cluster as cluster_of
from assembly.network import network_of
from assembly.serving import refuse_configuration
from assembly.serving import serving as serving_on
from components.debug_log import without_secrets
from components.images import ImageMap
from components.resolved_sources import SourceArgs, resolve
from components.secret import given_or_generated

without_secrets()
settings = stack.from_stack(tuple(SERVICES))
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
stores_args = ConferenceStoresArgs(
    settings=settings,
    charts=sources.charts,
    images=images,
    postgresql_password=given_or_generated("postgresql-password", stack.secret("postgresqlPassword")),
    redis_password=given_or_generated("redis-password", stack.secret("redisPassword")),
    placement=cluster.placement,
)
stores = ConferenceStores("stores", stores_args, on_cluster)
conference_args = ConferenceApplicationArgs(
    services=settings.services,
    domain=serving.domain,
    http_port=cluster.http_port,
    ready_within=settings.ready_within,
    topic=settings.kafka.topic,
    image=images.redirected,
    # A service stops when its stores are missing, and a first revision that never became ready is not tried again.
    needs={service: [*serving.needs, *stores.needs[service]] for service in SERVICES},
    placement=cluster.placement,
    urls_of_the_cluster=cluster.installed is not None,
)
conference = ConferenceApplication("conference", conference_args, on_cluster)
cluster.guard([*serving.needs, stores, conference])

for name, value in {**cluster.outputs, **serving.outputs, "services": conference.releases}.items():
    pulumi.export(name, value)
pulumi.export("rollouts", {name: rollout.exported() for name, rollout in settings.rollouts.items()})

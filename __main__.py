"""Settings in, components composed, outputs out."""

import pulumi

import settings as stack
from app.conference import ConferenceApplication, ConferenceApplicationArgs
from app.services import SERVICES
from app.stores import ConferenceStores, ConferenceStoresArgs, chart_versions
from components.cluster import INGRESS_NODE_PORT, KindCluster, KindClusterArgs
from components.images import ImageMap
from components.knative import KnativeServing, KnativeServingArgs, configuration
from components.kourier import INGRESS_CLASS, Kourier, KourierArgs
from components.resolved_sources import SourceArgs, resolve
from components.secret import given_or_generated

settings = stack.from_stack(tuple(SERVICES))
images, small = ImageMap(settings.sources.images), settings.knative.profile == "small"
source_args = SourceArgs(
    manifests=settings.sources.manifests,
    knative_version=settings.knative.version,
    kourier_version=settings.knative.kourier_version,
    charts=settings.sources.charts,
    chart_versions=chart_versions(settings),
    archives=settings.sources.archives,
)
sources = resolve(source_args)

cluster_args = KindClusterArgs(
    cluster_name=settings.cluster.name,
    http_port=settings.cluster.http_port,
    node_image=images.redirected(settings.cluster.node_image),
    archives=sources.archives,
)
cluster = KindCluster("cluster", cluster_args)
on_cluster = pulumi.ResourceOptions(providers=[cluster.provider])

knative_args = KnativeServingArgs(
    definitions=sources.definitions,
    core=sources.core,
    images=images,
    small=small,
    configuration=configuration(INGRESS_CLASS, settings.knative.domain),
    placement=cluster.placement,
)
knative = KnativeServing("knative-serving", knative_args, on_cluster)
kourier_args = KourierArgs(
    manifests=sources.kourier,
    images=images,
    small=small,
    node_port=INGRESS_NODE_PORT,
    namespaces=knative.namespaces,
    definitions=knative.definitions,
    placement=cluster.placement,
)
kourier = Kourier("kourier", kourier_args, on_cluster)
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
    domain=settings.knative.domain,
    http_port=settings.cluster.http_port,
    ready_within=settings.ready_within,
    image=images.redirected,
    # A service stops when its stores are missing, and a first revision that never became ready is not tried again.
    needs={service: [knative, kourier, *stores.needs[service]] for service in SERVICES},
    placement=cluster.placement,
)
conference = ConferenceApplication("conference", conference_args, on_cluster)

pulumi.export("cluster", settings.cluster.name)
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("services", conference.releases)

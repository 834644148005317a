"""Settings in, components composed, outputs out."""

import pulumi

import settings as stack
from app.conference import NAMESPACE, ConferenceApplication, ConferenceApplicationArgs
from app.services import INIT_CONFIG_MAP, INIT_SQL, SERVICES
from components.cluster import INGRESS_NODE_PORT, KindCluster, KindClusterArgs
from components.datastores import DatastoreArgs, Kafka, PostgreSQL, Redis
from components.images import ImageMap
from components.knative import KnativeServing, KnativeServingArgs
from components.kourier import INGRESS_CLASS, Kourier, KourierArgs
from components.secret import GeneratedWord
from components.sources import ManifestSource

settings = stack.from_stack(tuple(SERVICES))
images, manifests = ImageMap(settings.sources.images), ManifestSource(settings.sources.manifests)

cluster = KindCluster("cluster", KindClusterArgs(
    cluster_name=settings.cluster.name,
    http_port=settings.cluster.http_port,
    node_image=images.redirected(settings.cluster.node_image),
    archives=settings.sources.archives,
))
inside = {"images_loaded": cluster.images_loaded, "deleted_with": cluster.resource}
on_cluster = pulumi.ResourceOptions(providers=[cluster.provider])

knative = KnativeServing("knative-serving", KnativeServingArgs(
    version=settings.knative.version, manifests=manifests, images=images, small=settings.knative.profile == "small",
    configuration={
        "config-network": {"ingress-class": INGRESS_CLASS},
        "config-domain": {settings.knative.domain: ""},
        "config-features": {"tag-header-based-routing": "Enabled", "kubernetes.podspec-fieldref": "Enabled"},
    },
    **inside,
), on_cluster)
kourier = Kourier("kourier", KourierArgs(
    version=settings.knative.kourier_version, manifests=manifests, images=images, small=settings.knative.profile == "small",
    node_port=INGRESS_NODE_PORT, needs=knative.configuration,
    **inside,
), on_cluster)


def datastore(chart: stack.Kafka | stack.PostgreSQL | stack.Redis) -> DatastoreArgs:
    """A data store's settings as arguments of its component."""
    return DatastoreArgs(charts=settings.sources.charts, chart_version=chart.chart_version, size=chart.size, images=images,
                         namespace=NAMESPACE, **inside)


def password(key: str, name: str) -> pulumi.Output[str]:
    """The password given in the stack's configuration, or one made once."""
    return stack.secret(key) or GeneratedWord(name, secret=True).value


kafka = Kafka("kafka", datastore(settings.kafka), settings.kafka.topic, on_cluster)
postgresql = PostgreSQL("postgresql", datastore(settings.postgresql), password("postgresqlPassword", "postgresql-password"),
                        INIT_SQL, INIT_CONFIG_MAP, on_cluster)
redis = Redis("redis", datastore(settings.redis), password("redisPassword", "redis-password"), on_cluster)

# A service stops when its stores are missing, and a first revision that never became ready is not tried again.
platform: list[pulumi.Resource] = [knative, kourier, kafka]
conference = ConferenceApplication("conference", ConferenceApplicationArgs(
    services=settings.services, domain=settings.knative.domain, http_port=settings.cluster.http_port, image=images.redirected,
    needs={name: platform for name in SERVICES} | {"c4p-service": [*platform, postgresql], "agenda-service": [*platform, redis]},
    deleted_with=cluster.resource,
), on_cluster)

pulumi.export("cluster", settings.cluster.name)
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("services", conference.releases)

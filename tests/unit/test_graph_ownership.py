"""Who owns what: everything inside lives and dies with the cluster, and no secret stands where it can be read."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.unit import image_archives
from tests.unit.recording import CREATION, KUBECONFIG, Recorded, record, word

REDIS_PASSWORD = "a-password-of-the-stack"


@cache
def whole(manifests: Path) -> Recorded:
    """The program with a bit of everything: archives, a canary, a dark launch, a given password."""
    archives = [
        image_archives.write(manifests / "one.tar", "docker.io/bitnamilegacy/kafka:3.4.1"),
        image_archives.write(manifests / "two.tar", "bitnamilegacy/redis:7.0"),
    ]
    tracks = {"canary": {"version": "v1.1.0"}, "green": {"version": "v1.1.0", "tag": "green"}}
    recorded = record(
        {
            "canaryPercent": 50,
            "redisPassword": REDIS_PASSWORD,
            "services": {"frontend": {"tracks": tracks}},
            "sources": {"archives": [str(archive) for archive in archives]},
        },
        manifests,
    )
    assert recorded.error is None, f"the program ended: {recorded.error!r}"
    return recorded


def test_everything_inside_is_deleted_with_the_cluster(manifests: Path) -> None:
    recorded = whole(manifests)
    cluster = recorded.one("Command", "cluster-kind")
    assert recorded.kubernetes(), "nothing is recorded: this test proves nothing"
    strays = [r.urn for r in recorded.kubernetes() if r.deleted_with != cluster.urn]
    assert not strays, f"a destroy deletes one by one, and hangs in Knative's finalizers: {strays}"


def test_everything_inside_is_made_by_the_clusters_own_provider(manifests: Path) -> None:
    recorded = whole(manifests)
    provider = recorded.one("kubernetes", "cluster-provider")
    strays = [r.urn for r in recorded.kubernetes() if not r.provider.startswith(provider.urn + "::")]
    assert not strays, f"made in whatever cluster the user's own kubeconfig names: {strays}"


def test_the_provider_changes_with_every_creation_of_the_cluster(small: Path) -> None:
    inputs = whole(small).one("kubernetes", "cluster-provider").inputs
    assert inputs["clusterIdentifier"], "a re-created cluster would stay empty: the provider looks unchanged"
    assert inputs["enableServerSideApply"] == "true", "objects would be applied by the client"
    assert inputs["enableConfigMapMutable"] == "true", "a changed ConfigMap is replaced under the pods that read it"


def test_everything_inside_is_replaced_with_the_cluster(manifests: Path) -> None:
    recorded = whole(manifests)
    identity = recorded.one("kubernetes", "cluster-provider").inputs["clusterIdentifier"]
    left = [r.urn for r in recorded.kubernetes() if r.replacement_trigger != identity]
    assert not left, f"after an `up` that ended while it replaced the cluster, these are taken for made: {left}"


def test_archives_go_into_the_node_anew_when_the_cluster_is_anew(small: Path) -> None:
    recorded = whole(small)
    cluster = recorded.one("Command", "cluster-kind")
    for name in ("one", "two"):
        load = recorded.one("Command", f"cluster-image-{name}")
        assert load.inputs["environment"]["IMAGE_ARCHIVE"] == f"{small}/{name}.tar", "another archive is loaded"
        assert cluster.urn in load.dependencies, "an archive is loaded before there is a node"
        identity = recorded.one("kubernetes", "cluster-provider").inputs["clusterIdentifier"]
        assert identity in load.inputs["triggers"], "a re-created cluster has no images"
        assert load.deleted_with == cluster.urn, "a destroy would ask a node that is gone"


def test_a_change_of_name_port_or_image_replaces_the_cluster(small: Path) -> None:
    cluster = whole(small).one("Command", "cluster-kind")
    given = cluster.inputs["environment"]
    wanted = {given["CLUSTER_NAME"], given["HTTP_PORT"], given["NODE_IMAGE"], given["CLUSTER_OWNER"], CREATION}
    assert {str(t).removesuffix(".0") for t in cluster.inputs["triggers"]} == wanted, "a change is not carried out"
    assert not cluster.delete_before_replace, "the engine would ask a provider that it has closed"


def test_no_resource_is_registered_twice_and_none_is_protected(manifests: Path) -> None:
    resources = whole(manifests).resources
    urns = [r.urn for r in resources]
    assert len(urns) == len(set(urns)), "Pulumi refuses the second of the same name"
    assert not any(r.protect or r.aliases for r in resources), (
        "a destroy would be refused, or an old name is still around"
    )


def test_every_component_is_the_projects_and_has_children(manifests: Path) -> None:
    recorded = whole(manifests)
    components = [r for r in recorded.resources if not r.type.startswith(("kubernetes:", "command:", "pulumi:"))]
    assert {r.type for r in components if not r.type.startswith("knative-releases:index:")} == set(), (
        "a strange type token"
    )
    assert all(recorded.below(component) for component in components), "a component owns nothing"
    assert all("index" in r.parent for r in recorded.kubernetes()), "an object is no component's child"


def test_waiting_has_limits_of_minutes(small: Path) -> None:
    recorded = whole(small)
    for name in ("frontend", "frontend-canary"):
        resource = next(r for r in recorded.kubernetes() if r.name == name and "serving.knative.dev" in r.type)
        assert resource.custom_timeouts == {"create": "2m", "update": "2m"}, "a broken version is waited for 10 minutes"
        assert resource.annotations["pulumi.com/waitFor"] == "condition=Ready", "a broken version passes for a good one"
    assert recorded.one("Command", "cluster-kind").custom_timeouts["create"] == "2h", "a stuck creation never ends"
    assert all(r.inputs["timeout"] <= 3600 for r in recorded.of_kind("Release")), "a stuck store never ends"


def test_every_raw_manifest_has_the_one_field_manager(manifests: Path) -> None:
    objects = [r for r in whole(manifests).kubernetes() if r.kind != "Release"]
    strays = [r.urn for r in objects if r.annotations.get("pulumi.com/patchFieldManager") != "knative-releases"]
    assert not strays, f"an interrupted `up` conflicts with itself in: {strays}"


def test_outputs_that_hold_secrets_are_marked(small: Path) -> None:
    recorded = whole(small)
    for name in ("cluster-kind", "postgresql-password-word"):
        marked = recorded.one("Command", name).additional_secret_outputs
        assert "stdout" in marked, f"the state holds what {name} printed in plain text"
    assert recorded.secret_outputs == {"kubeconfig"}, "the kubeconfig is printed, or the services are hidden"
    assert recorded.one("Command", "cluster-kind").inputs["logging"] == "stderr", "the kubeconfig is logged"
    assert recorded.one("Command", "postgresql-password-word").inputs["logging"] == "none", "the password is logged"


def test_no_secret_stands_in_an_input_that_is_not_secret(manifests: Path) -> None:
    recorded = whole(manifests)
    secrets = [KUBECONFIG, REDIS_PASSWORD, word("postgresql-password-word")]
    leaks = [
        (r.urn, path) for r in recorded.resources for path, text in r.plain_texts() if any(s in text for s in secrets)
    ]
    assert not leaks, f"the state shows a secret in plain text: {leaks}"
    used = [r.name for r in recorded.resources if r.secret_paths]
    assert sorted(used) == ["cluster-provider", "postgresql", "redis"], "a secret does not reach who needs it"


def test_an_interrupted_helm_release_is_mended(small: Path) -> None:
    hooks = {r.name: list(r.before_hooks) for r in whole(small).of_kind("Release")}
    names = ("kafka", "postgresql", "redis")
    wanted = {name: {f"default-{name}-install", f"default-{name}-upgrade"} for name in names}
    assert hooks.keys() == wanted.keys() and all(wanted[name] <= set(hooks[name]) for name in names), (
        "Helm refuses a name for good that an interrupted `up` has used"
    )


def test_a_given_password_is_used_and_none_is_generated_beside_it(small: Path) -> None:
    recorded = whole(small)
    assert recorded.one("Release", "redis").inputs["values"]["auth"]["password"] == REDIS_PASSWORD, (
        "another password is set"
    )
    assert not [r for r in recorded.resources if r.name == "redis-password-word"], "a password is generated for nothing"

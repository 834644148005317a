"""Several teams on one cluster, and a Service that runs already: taken over under load, released, and given back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from offline import hello
from offline.cache import root
from tests.e2e.environment import CommandError, Environment, eventually
from tests.e2e.traffic import Client, Prober

IMAGE = "us-docker.pkg.dev/google-samples/containers/gke/hello-app"
LEGACY = f"""
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: legacy, namespace: default, labels: {{team: web}}}}
spec:
  template:
    spec:
      containers:
      - image: {hello.NAME}:1.0
        env: [{{name: TEAM, value: web}}]
"""
GIVEN_BACK = (
    '{"spec": {"template": {"metadata": {"name": null}}, "traffic": [{"latestRevision": true, "percent": 100}]}}'
)
"""The patch of docs/your-own-service.md."""


@pytest.fixture(scope="module")
def legacy(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A Service that somebody made with kubectl; the settings of the same."""
    environment.configure()
    environment.up()
    environment.kubectl("apply", "-f", "-", stdin=LEGACY)
    environment.kubectl("wait", "ksvc/legacy", "--for=condition=Ready", "--timeout=120s")
    manifest = yaml.safe_load(LEGACY)
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = f"{IMAGE}:1.0"
    file = tmp_path_factory.mktemp("manifests") / "legacy.yaml"
    file.write_text(yaml.safe_dump(manifest))
    return {"manifest": str(file)}


def served(environment: Environment) -> list[dict[str, Any]]:
    """The traffic of the Service, as the cluster reports it."""
    (service,) = (each for each in environment.get("ksvc") if each["metadata"]["name"] == "legacy")
    found: list[dict[str, Any]] = service["status"]["traffic"]
    return found


def test_a_service_of_somebody_else_is_not_adopted(environment: Environment, legacy: dict[str, Any]) -> None:
    before = served(environment)
    environment.configure({"legacy": legacy})
    for command in ("preview", "up"):
        with pytest.raises(CommandError) as refused:
            environment.pulumi(command, *(["--yes", "--skip-preview"] if command == "up" else []))
        message = str(refused.value)
        assert "the Knative Service default/legacy exists" in message and "services.legacy.takeOver' true" in message
        assert "kubectl-client-side-apply" in message and "Traceback" not in message, message
    assert served(environment) == before


def test_it_is_taken_over_released_and_given_back_without_a_lost_request(
    environment: Environment, legacy: dict[str, Any], client: Client
) -> None:
    taken = {**legacy, "takeOver": True}
    canary = {"canary": {"version": "2.0", "percent": 50}}
    with Prober(client, "legacy", path="/") as prober:
        environment.configure({"legacy": taken})
        preview = environment.pulumi("preview")
        assert "takes over the Knative Service default/legacy" in preview and "the latest revision 100 %" in preview
        environment.up()
        environment.up("--expect-no-changes")
        environment.configure({"legacy": {**taken, "tracks": canary}})
        environment.up()
        assert sorted(each["percent"] for each in served(environment)) == [50, 50]
        environment.configure({"legacy": taken})
        environment.up()
        environment.configure()
        environment.up()
        assert [each["percent"] for each in served(environment)] == [100], "it left the cluster with the settings"
        environment.kubectl(
            "patch", "ksvc", "legacy", "--namespace", "default", "--type=merge", f"--patch={GIVEN_BACK}"
        )
        environment.kubectl("apply", "-f", "-", stdin=LEGACY)
        eventually(120, "its owner's again", lambda: served(environment)[0].get("latestRevision"))
    prober.assert_nothing_lost()
    environment.kubectl("delete", "ksvc", "legacy", "--namespace", "default")


@pytest.fixture(scope="module")
def other(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """Another team's stack on the cluster of the first, with its Knative."""
    environment.kubectl("create", "namespace", "team-b")
    kubeconfig = tmp_path_factory.mktemp("team") / "kubeconfig"
    kubeconfig.touch(0o600)
    kubeconfig.write_text(environment.pulumi("stack", "output", "kubeconfig", "--show-secrets"))
    name = f"{environment.name}-team"
    team = Environment(name, root() / name)
    context = yaml.safe_load(kubeconfig.read_text())["current-context"]
    cluster = {"provider": "existing", "context": context, "kubeconfig": str(kubeconfig)}
    team.common = {"cluster": cluster, "knative": {"install": False}, "application": "none"}
    team.configure()
    team.clear()
    yield team
    team.clear()
    team.close()
    environment.kubectl("delete", "namespace", "team-b", "--wait=false")


def test_two_teams_share_a_cluster_and_nothing_else(
    environment: Environment, other: Environment, client: Client
) -> None:
    before = {kind: environment.get(kind) for kind in ("ksvc", "configmap")}
    mine = {"hello": {"image": f"{IMAGE}:1.0", "namespace": "team-b"}}
    other.configure(mine)
    other.up()
    other.up("--expect-no-changes")
    with Prober(client, "hello.team-b", path="/") as prober:
        canary = {"canary": {"version": "2.0", "percent": 20}}
        other.configure({"hello": {**mine["hello"], "tracks": canary}})
        other.up()
        environment.up("--expect-no-changes")
        other.configure(mine)
        other.up()
    prober.assert_nothing_lost()
    for kind, objects in before.items():
        names = {each["metadata"]["name"] for each in objects}
        assert {each["metadata"]["name"] for each in environment.get(kind)} == names, f"{kind} of the first team"


def test_a_name_of_the_first_team_is_refused(environment: Environment, other: Environment) -> None:
    other.configure({"frontend": {"image": f"{IMAGE}:1.0", "namespace": "default", "takeOver": True}})
    with pytest.raises(CommandError) as refused:
        other.up()
    message = str(refused.value)
    assert "Knative Service default/frontend" in message or "Knative Service frontend" in message
    assert "Traceback" not in message
    environment.up("--expect-no-changes")


def test_when_the_second_team_leaves_the_first_stays(environment: Environment, other: Environment) -> None:
    other.configure()
    other.destroy()
    environment.up("--expect-no-changes")

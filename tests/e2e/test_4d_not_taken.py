"""Versions that the cluster does not take, or makes no pods of: a quota, the namespace's pod security. The `up` that
fails says why in the cluster's words, and nothing that runs is disturbed.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.environment import Environment
from tests.e2e.test_4_broken_versions import FRONTEND, NOTIFICATIONS, canary, failing_up
from tests.e2e.traffic import Client

SECONDS = "20s"
ENFORCED = "pod-security.kubernetes.io/enforce"


@pytest.fixture
def strict(environment: Environment) -> Iterator[Environment]:
    """The environment with stable versions alone, whose namespace a test makes stricter; it is itself again after."""
    environment.configure()
    environment.up()
    yield environment
    environment.kubectl("delete", "resourcequota", "--all", "--namespace", "default")
    environment.kubectl("label", "namespace", "default", f"{ENFORCED}-")
    environment.configure()
    environment.up()


def test_a_used_up_quota_and_pod_security_are_told_in_the_clusters_words(strict: Environment) -> None:
    revisions = len(strict.get("revisions.serving.knative.dev"))
    quota = f"--hard=count/revisions.serving.knative.dev={revisions + 1}"
    strict.kubectl("create", "quota", "few-revisions", "--namespace", "default", quota)
    strict.kubectl("label", "namespace", "default", f"{ENFORCED}=restricted")
    # Each its own revision: the quota leaves one of the two unmade, pod security leaves the other without pods.
    both = {NOTIFICATIONS: canary(50, restart="quota"), FRONTEND: canary(50, restart="quota")}
    strict.configure(both, readyWithin=SECONDS)
    output = failing_up(strict)
    assert "exceeded quota: few-revisions" in output, output
    assert "-canary-v1-1-0-" in output and "is not in the cluster" in output, output
    assert "404" not in output and "does not say" not in output, output
    assert 'violates PodSecurity "restricted' in output, output
    for service in (NOTIFICATIONS, FRONTEND):
        assert Client(strict.port).version(service) == "1.0.0", f"{service} is answered as before"

"""What is refused on a real machine: the message names the thing and the way out, and nothing is left or touched."""

from __future__ import annotations

import socket
import subprocess

import pytest

from tests.e2e.environment import CommandError, Environment, free_port


def refusal(environment: Environment) -> str:
    """Output of an `up` that has to fail."""
    with pytest.raises(CommandError) as failed:
        environment.up()
    assert "Traceback" not in str(failed.value), "a person reads a message, not a traceback"
    return str(failed.value)


def test_wrong_settings_are_told_all_at_once_and_make_nothing(environment: Environment) -> None:
    environment.configure(
        {
            "frontend": {"tracks": {"a": {"version": "v1.1.0", "percent": 70}, "b": {"version": "v 1", "percent": 40}}},
            "fronted": {},
        },
        canaryPercnt=5,
    )
    output = refusal(environment)
    for part in ("canaryPercnt", "did you mean canaryPercent", "services.fronted", "tracks.b.version"):
        assert part in output, f"{part} is told:\n{output}"
    assert not [r for r in environment.resources() if r["type"] != "pulumi:pulumi:Stack"], "no resource was made"
    assert environment.containers() == []


def test_a_taken_port_is_refused_and_leaves_no_container(environment: Environment) -> None:
    environment.configure()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", environment.port))
        taken.listen()
        output = refusal(environment)
    assert f"port {environment.port} on 127.0.0.1 cannot be used" in output and "cluster.httpPort" in output
    assert environment.containers() == []


def test_a_cluster_of_somebody_else_is_refused_and_left_alone(environment: Environment) -> None:
    environment.configure()
    foreign = [
        "docker",
        "run",
        "--detach",
        "--label",
        f"io.x-k8s.kind.cluster={environment.name}",
        "--entrypoint",
        "sleep",
        _node_image(environment),
        "600",
    ]
    container = subprocess.run(foreign, check=True, capture_output=True, text=True).stdout.strip()
    try:
        output = refusal(environment)
        assert f"a kind cluster named {environment.name} exists" in output and "cluster.name" in output
        environment.destroy()
        running = subprocess.run(
            ["docker", "inspect", "--format", "{{.State.Running}}", container],
            check=True,
            capture_output=True,
            text=True,
        )
        assert running.stdout.strip() == "true", "neither up nor destroy touched it"
    finally:
        subprocess.run(["docker", "rm", "--force", container], check=True, capture_output=True)


def test_an_unreachable_source_is_named_with_the_setting_that_redirects_it(environment: Environment) -> None:
    environment.configure(sources={"manifests": f"http://127.0.0.1:{free_port()}/mirror"})
    output = refusal(environment)
    assert "cannot download http://127.0.0.1" in output and "sources.manifests" in output
    assert environment.containers() == [], "refused before the cluster is made"


def _node_image(environment: Environment) -> str:
    """The node image of this environment's sources: an image that is there anyway."""
    listed = environment.run(
        "docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference=*kindest/node"
    )
    images = listed.split() or environment.run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}").split()
    return next(image for image in images if "kindest/node" in image)

"""No secret in plain text anywhere: planted passwords, generated ones, and the key of the cluster's administrator."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest
import yaml

from tests.e2e.environment import PROJECT, Environment
from tests.e2e.secrets_search import Secrets, Watch

NOTIFICATIONS = "notifications-service"
CANARY = {NOTIFICATIONS: {"tracks": {"canary": {"version": "v1.1.0"}}}}
QUIET, LOUD = "-v=6", "-v=9"
"""The engine's most talkative log without the properties of resources, and the one with them."""
COMMANDS = (
    ("preview", "--diff", "--debug"),
    ("up", "--yes", "--skip-preview", "--debug"),
    ("refresh", "--yes", "--skip-preview"),
    ("preview", "--json"),
)
SHOWING = (("stack", "output", "--json"), ("stack", "export"), ("config",))
OUR_NAMESPACES = ("default", "knative-serving", "kourier-system")


def known(environment: Environment) -> dict[str, str]:
    """The secrets of the environment, as its cluster has them, and as its state decrypts them."""
    words = {
        secret: environment.kubectl(
            "get", "secret", secret, "-o", f'go-template={{{{index .data "{key}" | base64decode}}}}'
        )
        for secret, key in (("postgresql", "postgres-password"), ("redis", "redis-password"))
    }
    kubeconfig = yaml.safe_load(environment.pulumi("stack", "output", "kubeconfig", "--show-secrets"))
    key: str = kubeconfig["users"][0]["user"]["client-key-data"]
    return {**words, "key of the administrator": key[200:]}  # all keys begin alike


def search(environment: Environment, folder: Path) -> None:
    """Run every kind of command with the engine's own log, and search for the secrets in all that they leave.

    The Kubernetes provider leaves a kubeconfig in the folder for temporary files, closed to others: so only those that
    are open to others count there.
    """
    environment.env["TMPDIR"] = str(folder)
    try:
        with Watch(folder) as watch:
            printed = {" ".join(c): environment.pulumi(*c, "--logtostderr", QUIET) for c in COMMANDS}
    finally:
        del environment.env["TMPDIR"]
    sought = Secrets(known(environment))
    assert len(sought.values) == 3 and all(len(value) >= 20 for value in sought.values.values()), sought.values.keys()
    printed |= {" ".join(c): environment.pulumi(*c) for c in SHOWING}
    leaks = [
        f"printed by {command}: {', '.join(found)} in {sought.hidden(line)[:300]}"
        for command, text in printed.items()
        for line in text.splitlines()
        if (found := sought.found_in(line.encode()))
    ]
    leaks += [f"in arguments: {name}" for text in watch.arguments for name in sought.found_in(text)]
    leaks += [f"open, {file}: {name}" for file, text in watch.open_files.items() for name in sought.found_in(text)]
    leaks += sought.in_files(environment.home)
    leaks += sought.found_in((PROJECT / f"Pulumi.{environment.name}.yaml").read_bytes())
    assert not leaks, "\n".join(sorted(set(leaks)))


def assert_ours_only(environment: Environment) -> None:
    """What is on the host listens on 127.0.0.1 alone."""
    (container,) = json.loads(environment.run("docker", "inspect", environment.node))
    bound = {b["HostIp"] for each in container["NetworkSettings"]["Ports"].values() for b in each or []}
    assert bound == {"127.0.0.1"}, f"the cluster is reached from other machines, at {bound}"


def processes(environment: Environment) -> dict[str, dict[str, str]]:
    """Uid and effective capabilities of every process in the pods of our namespaces, by pod and command."""
    listed = json.loads(environment.kubectl("get", "pods", "--all-namespaces", "-o", "json"))["items"]
    ours = {
        pod["metadata"]["uid"]: pod["metadata"]["name"]
        for pod in listed
        if pod["metadata"]["namespace"] in OUR_NAMESPACES
    }
    found: dict[str, dict[str, str]] = {}
    for line in environment.run("docker", "top", environment.node, "-eo", "pid,args").splitlines()[1:]:
        process = Path("/proc") / line.split()[0]
        try:
            cgroup, status = (process / "cgroup").read_text().replace("_", "-"), (process / "status").read_text()
        except OSError:
            continue  # it ended meanwhile
        fields: dict[str, str] = dict(each.split(":\t", 1) for each in status.splitlines() if ":\t" in each)
        for uid, pod in ours.items():
            if f"pod{uid}" in cgroup:
                found[f"{pod}: {line.split(maxsplit=1)[1][:60]}"] = fields
    return found


@pytest.fixture(scope="module")
def up(environment: Environment) -> Environment:
    """The environment with a canary that does not get requests yet."""
    environment.configure(CANARY, canaryPercent=0)
    environment.up()
    return environment


def test_a_release_shows_no_secret_anywhere(up: Environment, tmp_path: Path) -> None:
    up.configure(CANARY, canaryPercent=50)
    search(up, tmp_path)


def test_nothing_is_reached_from_another_machine(up: Environment) -> None:
    assert_ours_only(up)


def test_containers_run_as_non_root_without_capabilities(up: Environment) -> None:
    found = processes(up)
    assert len(found) > 10, f"hardly any process was seen: {found.keys()}"
    root = {name for name, fields in found.items() if fields["Uid"].split()[0] == "0"}
    able = {name for name, fields in found.items() if int(fields["CapEff"], 16)}
    assert not root and not able, f"root: {sorted(root)}; with capabilities: {sorted(able)}"


def test_files_with_secrets_are_closed_to_others(up: Environment) -> None:
    assert (up.home / "passphrase").stat().st_mode & 0o077 == 0


@pytest.mark.long
def test_a_fresh_up_with_planted_passwords_shows_them_nowhere(environment: Environment, tmp_path: Path) -> None:
    environment.destroy()
    environment.configure(CANARY, canaryPercent=50)
    planted = {key: f"planted-{secrets.token_hex(16)}" for key in ("postgresqlPassword", "redisPassword")}
    for key, value in planted.items():
        environment.run(
            "pulumi", "--stack", environment.name, "config", "set", "--secret", key, stdin=value
        )  # not as an argument
    search(environment, tmp_path)
    assert set(planted.values()) <= set(known(environment).values()), "the passwords that were given are not used"
    log = environment.pulumi("up", "--yes", "--skip-preview", "--logtostderr", LOUD)
    assert "[secret]" in log and not Secrets(planted).found_in(log.encode()), "a password that was given is logged"

"""A store's password that changes: in the server, in the Secret, and for who uses it; also after an interruption."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Any
from unittest import mock

import pulumi
import pytest

from components.stores import cluster as store_cluster
from components.stores import password as store_password
from components.stores.password import POSTGRESQL, REDIS, Login

OLD, NEW = "the-old-one", 'it\'s "new" \\ $x `id` é'


def values(login: Login, password: Any) -> dict[str, Any]:
    """A chart's values with a password, which arrives as an output."""
    found: Any = mock.Mock(spec=pulumi.Output, future=mock.AsyncMock(return_value=password))
    for key in reversed(login.value):
        found = {key: found}
    return {"values": found}


def run(
    login: Login = POSTGRESQL,
    *,
    state: str = OLD,
    living: str | None = OLD,
    wanted: str | None = NEW,
    preview: bool = False,
    failing: str = "",
) -> tuple[mock.Mock, list[str], str]:
    """Run the hook: what was asked of the store, in its order, what was logged, and what it ended with.

    failing: the step that fails, in words that have the new password.
    """
    told: list[str] = []
    store = mock.Mock()
    store.password.return_value = living
    if failing:
        getattr(store, failing).side_effect = store_cluster.StoreError(f"psql: {NEW} was bad")
    kubeconfig, password = (mock.Mock(future=mock.AsyncMock(return_value=each)) for each in ("a kubeconfig", wanted))
    with (
        mock.patch("pulumi.ResourceHook", mock.Mock()) as made,
        mock.patch("pulumi.runtime.is_dry_run", return_value=preview),
        mock.patch("pulumi.log.info", told.append),
        mock.patch.object(store_cluster, "LivingStore", return_value=store),
    ):
        store_password.hook("postgresql", "default", kubeconfig, login, password)
        _, change, options = made.call_args.args
        assert options.on_dry_run, "a preview says nothing of it"
        try:
            asyncio.run(change(mock.Mock(spec=pulumi.ResourceHookArgs, old_inputs=values(login, state))))
        except pulumi.RunError as error:
            return store, told, str(error)
    return store, told, ""


def asked(store: mock.Mock) -> list[str]:
    """What was asked of a store, in its order."""
    return [call[0] for call in store.method_calls]


@pytest.mark.parametrize("login", [POSTGRESQL, REDIS], ids=["postgresql", "redis"])
def test_the_server_is_told_first_then_the_secret_then_who_uses_it(login: Login) -> None:
    store, _, _ = run(login)
    assert asked(store) == ["password", "run", "keep_password", "restart_users"], "somebody is left with the old one"
    assert store.run.call_args.args == (login.script, [OLD, NEW, login.statement(NEW)])
    assert store.keep_password.call_args.args == (login.kept_in, login.key, NEW)


def test_a_password_that_stays_is_left_alone() -> None:
    store, _, _ = run(state=OLD, living=OLD, wanted=OLD)
    assert asked(store) == ["password"], "every upgrade of the chart would restart the services"


def test_what_an_interrupted_up_did_in_part_is_done_again_in_whole() -> None:
    store, _, _ = run(state=OLD, living=NEW, wanted=NEW)
    assert asked(store) == ["password", "run", "keep_password", "restart_users"], "pods keep the old one for good"


def test_a_secret_that_somebody_changed_back_is_made_the_servers_again() -> None:
    store, _, _ = run(state=NEW, living=OLD, wanted=NEW)
    assert "keep_password" in asked(store), "Helm would write what the server does not take"


def test_a_store_that_helm_has_to_make_first_is_not_asked() -> None:
    store, _, _ = run(living=None)
    assert asked(store) == ["password"]


def test_a_preview_says_what_will_happen_and_touches_nothing() -> None:
    store, told, _ = run(preview=True)
    assert not store.method_calls and "the password of postgresql changes" in told[0]
    assert NEW not in told[0] and OLD not in told[0]
    assert run(preview=True, wanted=None)[1], "one that is generated in the `up` is a change, too"
    assert not run(preview=True, wanted=OLD)[1], "a preview of something else speaks of passwords"


@pytest.mark.parametrize("failing", ["run", "keep_password", "restart_users"])
def test_a_failure_says_the_way_on_and_repeats_no_password(failing: str) -> None:
    store, _, error = run(failing=failing)
    assert "was bad" in error and "pulumi up" in error, "nobody is told why, or how to go on"
    assert NEW not in error, "it is told to whoever reads the log"
    if failing == "run":
        assert not store.keep_password.called, "the Secret says what the server does not take"
        assert "pulumi config rm postgresqlPassword" in error, "the way back is not named"


def test_sql_takes_any_password() -> None:
    assert POSTGRESQL.statement(NEW).endswith(" PASSWORD 'it''s \"new\" \\ $x `id` é';")
    assert "log_min_error_statement = 'panic'" in POSTGRESQL.statement(NEW), "the server's log would have it"
    assert "\n" not in POSTGRESQL.statement(NEW), "the script reads one line"


def test_redis_takes_any_password() -> None:
    told = REDIS.statement('a"\\é')
    assert told == 'CONFIG SET requirepass "\\x61\\x22\\x5c\\xc3\\xa9"'


# A server of either kind: it takes one password, keeps what it is told, and shows its arguments.
SERVERS = {
    "psql": """#!/bin/bash
printf '%s\\n' "$*" >> "$SEEN/arguments"
if [[ $PGPASSWORD != "$TAKEN" ]]; then echo 'FATAL: password authentication failed' >&2; exit 2; fi
cat > "$SEEN/told"
""",
    "redis-cli": """#!/bin/bash
printf '%s\\n' "$*" >> "$SEEN/arguments"
if [[ $REDISCLI_AUTH != "$TAKEN" ]]; then echo 'NOAUTH Authentication required.'; exit 0; fi
cat > "$SEEN/told"
echo OK
""",
}


@pytest.mark.parametrize("login", [POSTGRESQL, REDIS], ids=["postgresql", "redis"])
@pytest.mark.parametrize(("taken", "works"), [(OLD, True), (NEW, True), ("another", False)])
def test_the_script_tries_both_passwords_and_shows_neither(
    login: Login, taken: str, works: bool, tmp_path: Path
) -> None:
    for name, text in SERVERS.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SEEN": str(tmp_path), "TAKEN": taken}
    lines = "".join(f"{line}\n" for line in (OLD, NEW, login.statement(NEW)))
    command = ["bash", "-c", login.script]
    done = subprocess.run(command, input=lines, env=env, text=True, capture_output=True, check=False)
    assert (done.returncode == 0) == works, done.stderr
    if works:
        assert (tmp_path / "told").read_text() == login.statement(NEW) + "\n", "the server is told something else"
    else:
        assert done.stderr.strip(), "nobody is told why"
    arguments = (tmp_path / "arguments").read_text()
    assert OLD not in arguments and NEW not in arguments, "every process of the pod can list it"

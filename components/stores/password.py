"""The password of a store that runs: one that changes is changed in the server, and who uses it starts anew.

A server keeps its password: PostgreSQL on its volume, Redis until it starts again. Helm would change the Secret alone,
and the services' pods that start later would be refused. Each step can be done again, so what an interrupted `up` did
in part is done in whole by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.secret import revealed


@dataclass(frozen=True, kw_only=True)
class Login:
    """How the services log in to a store, and how its server gets another password."""

    kept_in: str
    """Secret of the release, where the pods of the services read the password."""
    key: str
    """Entry of the Secret."""
    value: tuple[str, ...]
    """Where the chart's values have it."""
    script: str
    """Bash, in the server's container: reads the old password, the new one, and the statement, each on a line. It tries
    both passwords, since an earlier `up` may have got this far."""
    statement: Callable[[str], str]
    """The statement for the server, for a password."""


def _sql(password: str) -> str:
    literal = "'" + password.replace("'", "''") + "'"
    # The server's log repeats statements that fail, and all of them where it is told to.
    quiet = "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic';"
    return f"{quiet} ALTER ROLE postgres WITH PASSWORD {literal};"


def _redis_command(password: str) -> str:
    hexadecimal = "".join(f"\\x{byte:02x}" for byte in password.encode())
    return f'CONFIG SET requirepass "{hexadecimal}"'


_READ = "IFS= read -r old && IFS= read -r new && IFS= read -r statement || exit 1\n"
POSTGRESQL = Login(
    kept_in="postgresql",
    key="postgres-password",
    value=("global", "postgresql", "auth", "postgresPassword"),
    script=_READ
    + """for password in "$old" "$new"; do
  if told=$(printf '%s\\n' "$statement" | PGPASSWORD=$password psql --no-psqlrc --no-password --quiet \\
    --set=ON_ERROR_STOP=1 --host=127.0.0.1 --username=postgres --dbname=postgres 2>&1); then exit 0; fi
done
printf '%s\\n' "$told" >&2
exit 1
""",
    statement=_sql,
)
REDIS = Login(
    kept_in="redis",
    key="redis-password",
    value=("auth", "password"),
    script=_READ
    + """for password in "$old" "$new"; do
  told=$(printf '%s\\n' "$statement" | REDISCLI_AUTH=$password redis-cli 2>&1)
  if [[ $told == OK ]]; then exit 0; fi
done
printf '%s\\n' "$told" >&2
exit 1
""",
    statement=_redis_command,
)


def hook(
    release: str, namespace: str, kubeconfig: pulumi.Output[str], login: Login, password: pulumi.Output[str]
) -> pulumi.ResourceHook:
    """A hook before a release's update that changes the password of the living store, where it changes."""

    async def change(args: pulumi.ResourceHookArgs) -> None:
        new, values = await password.future(), await revealed((args.old_inputs or {}).get("values"))
        before = _at(login.value, values)
        if pulumi.runtime.is_dry_run():
            if new != before:
                pulumi.log.info(told(release))
            return
        from components.stores.cluster import FAILURES, LivingStore  # noqa: PLC0415 - slow to import, seldom needed

        try:
            store = LivingStore(str(await kubeconfig.future()), namespace, release)
            living = store.password(login.kept_in, login.key)
            if living is None or before == living == new:
                return
            store.run(login.script, [living, str(new), login.statement(str(new))])
        except FAILURES as error:
            raise pulumi.RunError(refusal(release, without(str(error), [str(new)]))) from None
        try:
            store.keep_password(login.kept_in, login.key, str(new))
            store.restart_users(login.kept_in)
        except FAILURES as error:
            raise pulumi.RunError(unfinished(release, without(str(error), [str(new)]))) from None

    return pulumi.ResourceHook(f"{namespace}-{release}-password", change, pulumi.ResourceHookOptions(on_dry_run=True))


def told(release: str) -> str:
    """What a preview says of a password that changes. Pure."""
    return (
        f"the password of {release} changes: the `up` changes it in the server that runs, and the pods of the services "
        "that use it start anew"
    )


def refusal(release: str, why: str) -> str:
    """What is told where the server keeps its password. Pure."""
    return (
        f"the password of {release} cannot be changed in the server that runs: {why}\n"
        f"The services go on with the old one. Go back to it (pulumi config set --secret {release}Password, or, if it "
        f"was never set: pulumi config rm {release}Password), or let the pod run again (kubectl get pods) and then: "
        "pulumi up"
    )


def unfinished(release: str, why: str) -> str:
    """What is told where the server has the new password and its users may not. Pure."""
    return f"the server of {release} has the new password, and who uses it was not told: {why}. Go on with: pulumi up"


def without(text: str, secrets: Sequence[str]) -> str:
    """A text in which no secret is repeated. Pure."""
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return text


def _at(path: Sequence[str], values: Any) -> Any:
    """What nested values have at a path; None where they have nothing."""
    for key in path:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values

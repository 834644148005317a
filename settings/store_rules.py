"""What the stores of the conference application do not take: charts that were never run, and passwords."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from settings.model import Settings
from settings.problems import SECRETS, Problem, remove_command, set_command


def untried_charts(settings: Settings) -> Iterator[Problem]:
    """Charts of another major version than the one that was run: other data, names of objects and logins."""
    for name in ("kafka", "postgresql", "redis"):
        store = getattr(settings, name)
        tried = str(type(store).model_fields["chart_version"].default)
        major = tried.partition(".")[0]
        if store.chart_version.partition(".")[0] != major:
            path = f"{name}.chartVersion"
            wanted = f"{major}.x.y: no other major version was run, and none can use the data of this one"
            yield Problem(path, f'"{store.chart_version}"', wanted, set_command(path, tried))


def unusable_passwords(raw: Mapping[str, str]) -> Iterator[Problem]:
    """Passwords that a store does not take, not repeated: PostgreSQL's image refuses more than 100 characters.

    raw: the configuration, without the project's prefix.
    """
    for key, value in raw.items():
        if key not in SECRETS or (1 <= len(value) <= 100 and value.isprintable()):
            continue
        given = f"a password of {len(value)} characters" if value else "an empty password"
        fix = f"pulumi config set --secret {key}, or {remove_command(key)} (one is generated)"
        yield Problem(key, given, "1 to 100 characters, none of them a line break or another control character", fix)

"""Which toolchain: downloaded from upstream, or built offline from package registries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from toolchain import ToolchainError

VARIABLE = "SOURCES"
"""Environment variable that decides; unset or empty: what was chosen before, else what can be reached."""

Sources = Literal["upstream", "offline"]


@dataclass(frozen=True)
class Choice:
    """A toolchain and why it is this one, as one line for people."""

    sources: Sources
    reason: str

    def __str__(self) -> str:
        way = {"upstream": "downloaded from upstream", "offline": "built from package registries"}[self.sources]
        return f"{way}, because {self.reason}"


def wanted(environ: Mapping[str, str]) -> Sources | None:
    """What the user asks for. Raises ToolchainError when that is no toolchain."""
    given = environ.get(VARIABLE)
    if given and given not in get_args(Sources):
        raise ToolchainError(
            f"{VARIABLE}={given} given; wanted upstream, offline, or nothing (then it stays what it is, and on a new "
            f"machine what can be reached decides). For example: make up {VARIABLE}=upstream"
        )
    return cast(Sources, given) if given else None


def choose(asked: Sources | None, kept: Choice | None, unreachable: Callable[[], Sequence[str]]) -> Choice:
    """The choice: what is asked for, else what was chosen before, else upstream where all of it can be reached.

    unreachable: names what cannot be reached; only called when nothing else decides.
    """
    if asked:
        return Choice(asked, f"{VARIABLE}={asked}")
    if kept:
        return kept
    missing = unreachable()
    if missing:
        return Choice(
            "offline",
            f"these cannot be reached: {', '.join(missing)}. A first build takes about 25 minutes; "
            f"to download all the same: make up {VARIABLE}=upstream",
        )
    return Choice("upstream", "its releases and image registries answer")

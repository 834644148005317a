"""Which toolchain: downloaded from upstream, or built offline from package registries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from toolchain import ToolchainError

VARIABLE = "SOURCES"
"""Environment variable that decides; unset or empty: what can be reached does."""

Sources = Literal["upstream", "offline"]


@dataclass(frozen=True)
class Choice:
    """A toolchain and why it is this one, as one line for people."""

    sources: Sources
    reason: str

    def __str__(self) -> str:
        way = {"upstream": "downloads from upstream", "offline": "builds from package registries"}[self.sources]
        return f"{way}, because {self.reason}"


def choose(wanted: str | None, unreachable: Callable[[], Sequence[str]]) -> Choice:
    """The choice: the wanted one, else upstream when everything there is reachable, else offline.

    `unreachable` names what cannot be reached; it is only called when nothing is wanted. Raises ToolchainError when
    what is wanted is neither.
    """
    if wanted in get_args(Sources):
        return Choice(cast(Sources, wanted), f"{VARIABLE}={wanted}")
    if wanted:
        raise ToolchainError(
            f"{VARIABLE}={wanted} given; wanted upstream, offline, or nothing (then what can be reached decides). "
            f"For example: make up {VARIABLE}=upstream"
        )
    missing = unreachable()
    if missing:
        return Choice("offline", f"these cannot be reached: {', '.join(missing)}")
    return Choice("upstream", "its releases and image registries answer")

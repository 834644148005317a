"""A stack as this checkout knows it, before any tool is there: its settings file, and where its sources come from.

The choice of sources belongs to a stack: it is recorded in `.local/stacks/<stack>.yaml`, where the program finds it
when the stack's own settings say nothing (settings/local.py), and it stays until a person asks for another one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from toolchain import ToolchainError
from toolchain.choose import VARIABLE, Choice, Sources
from toolchain.state import PROJECT, Checkout, bare, stack_name

SOURCES_KEY = f"{PROJECT}:sources"
_COMMENT = "# Where this machine takes the stack's manifests, charts and images from. Written by `make up`.\n"


class Stack:
    """One stack: the one that the verbs act on."""

    def __init__(self, checkout: Checkout, env: Mapping[str, str]) -> None:
        self.name = stack_name(env)
        self._checkout = checkout
        self.file = checkout.settings_of(self.name)
        self.record_file = checkout.local / "stacks" / f"{bare(self.name)}.yaml"
        self._ours = str(checkout.sources.relative_to(checkout.root))

    @property
    def own_sources(self) -> Any:
        """What the stack's own settings say of its sources, None where they say nothing or name the offline build."""
        given = self._setting("sources")
        return None if given == self._ours else given

    @property
    def names_offline_build(self) -> bool:
        """Whether the stack's own settings name the offline build's sources, as `make up` once had them."""
        return bool(self._setting("sources") == self._ours)

    def sources(self) -> Mapping[str, Any]:
        """The stack's own sources as a mapping, empty where they are upstream's; a file that is not there is empty."""
        own = self.own_sources
        if isinstance(own, str):
            file = self._checkout.root / own
            own = _mapping(file, "") if file.is_file() else {}
        return own if isinstance(own, dict) else {}

    @property
    def needs_docker(self) -> bool:
        """Whether the program makes the cluster, in Docker."""
        cluster = self._setting("cluster")
        return not (isinstance(cluster, dict) and cluster.get("provider") == "existing")

    @property
    def cluster_name(self) -> str:
        """The name of its kind cluster."""
        cluster = self._setting("cluster")
        return str(cluster.get("name", "dev")) if isinstance(cluster, dict) else "dev"

    def kept(self) -> Choice | None:
        """The choice that was made for this stack, None where there was none or its settings have other sources."""
        if self.names_offline_build:
            return Choice("offline", f"{self.file.name} names {self._ours}")
        if self.own_sources is not None or not self.record_file.is_file():
            return None
        recorded = _mapping(self.record_file, f"rm {self.record_file}").get("sources")
        where = f"that is what stack {self.name} is made from ({self.record_file.relative_to(self._checkout.root)})"
        if recorded == self._ours:
            return Choice("offline", where)
        return Choice("upstream", where) if recorded == {} else None

    def as_made(self) -> Choice:
        """What a stack with resources was made from, where nothing says so: the defaults, which are upstream's."""
        return Choice("upstream", f"that is what the resources of stack {self.name} are made from")

    def record(self, sources: Sources) -> None:
        """Keep the choice."""
        self.record_file.parent.mkdir(parents=True, exist_ok=True)
        text = _COMMENT + yaml.safe_dump({"sources": self._ours if sources == "offline" else {}})
        if self.record_file.is_file() and self.record_file.read_text() == text:
            return
        fresh = self.record_file.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.record_file)

    def _setting(self, key: str) -> Any:
        if not self.file.is_file():
            return None
        config = _mapping(self.file, "").get("config")
        value = config.get(f"{PROJECT}:{key}") if isinstance(config, dict) else None
        if isinstance(value, str) and value.lstrip().startswith("{"):  # as `pulumi config set` keeps an object
            try:
                return json.loads(value)
            except json.JSONDecodeError:
                return value  # the program says what is wrong with it
        return value


def refuse_change(stack: Stack, kept: Choice, resources: int) -> None:
    """Raise ToolchainError: the stack has resources, and other sources would replace its cluster."""
    asked = "upstream" if kept.sources == "offline" else "offline"
    raise ToolchainError(
        f"{VARIABLE}={asked} given, but stack {stack.name} has {resources} resources, and its toolchain is "
        f"{kept}. With other sources its cluster would be replaced and the data in its stores lost.\n"
        f"  to keep it:    make up\n"
        f"  to replace it: make down && make up {VARIABLE}={asked}"
    )


def _mapping(file: Any, fix: str) -> dict[str, Any]:
    try:
        found = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ToolchainError(
            f"{file} is no YAML: {' '.join(str(error).split())}{f'. Make it anew: {fix} && make up' if fix else ''}"
        ) from None
    return found if isinstance(found, dict) else {}

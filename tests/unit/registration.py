"""One registration of a resource as the program requested it, in plain values; secrets are unwrapped and remembered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]

# Of Pulumi's wire protocol: how a secret is told from a mapping.
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"

KeyPath = tuple[str, ...]


@dataclass(frozen=True)
class Registration:
    """One RegisterResource request, secrets unwrapped."""

    urn: str
    type: str
    name: str
    parent: str
    provider: str
    inputs: Mapping[str, Any]
    secret_paths: frozenset[KeyPath]
    """Paths of inputs that were sent as secrets."""
    dependencies: frozenset[str]
    """URNs that it waits for; a component is sent as its children."""
    deleted_with: str
    additional_secret_outputs: tuple[str, ...]
    protect: bool
    delete_before_replace: bool
    replacement_trigger: str
    custom_timeouts: Mapping[str, str]
    error_hooks: Sequence[str]
    before_hooks: Sequence[str]
    """Hooks before its creation and its update."""
    aliases: tuple[str, ...]
    ignore_changes: tuple[str, ...]
    retain_on_delete: bool
    transforms: int
    """How many functions look at it before the engine does."""

    @property
    def kind(self) -> str:
        """Last part of the type: `Deployment`, `Command`, `KnativeServing`."""
        return self.type.rpartition(":")[2]

    @property
    def is_kubernetes(self) -> bool:
        """Whether it is an object or release inside the cluster (the provider itself is not)."""
        return self.type.startswith("kubernetes:")

    @property
    def annotations(self) -> Mapping[str, str]:
        """The annotations of a Kubernetes object."""
        found: Mapping[str, str] = self.inputs.get("metadata", {}).get("annotations", {})
        return found

    @property
    def begins_after(self) -> frozenset[str]:
        """URNs that must be registered before it: dependencies, parent, provider (sent as `<urn>::<id>`)."""
        return self.dependencies | {self.parent, self.provider.rpartition("::")[0]}

    def plain_texts(self) -> Iterator[tuple[KeyPath, str]]:
        """Every text in the inputs that is not inside a secret, with its path."""
        return _texts(self.inputs, (), self.secret_paths)


def registration(urn: str, request: Any) -> Registration:
    """The registration that a RegisterResourceRequest asks for."""
    secret_paths: set[KeyPath] = set()
    inputs = _unwrapped(json_format.MessageToDict(request.object), (), secret_paths)
    timeouts = {name: getattr(request.customTimeouts, name) for name in ("create", "update", "delete")}
    return Registration(
        urn=urn,
        type=request.type,
        name=request.name,
        parent=request.parent,
        provider=request.provider,
        inputs=inputs,
        secret_paths=frozenset(secret_paths),
        dependencies=frozenset(request.dependencies),
        deleted_with=request.deletedWith,
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        protect=request.protect,
        delete_before_replace=request.deleteBeforeReplace,
        replacement_trigger=request.replacement_trigger.string_value,
        custom_timeouts={name: value for name, value in timeouts.items() if value},
        error_hooks=list(request.hooks.on_error),
        before_hooks=[*request.hooks.before_create, *request.hooks.before_update],
        aliases=tuple(str(alias) for alias in request.aliases),
        ignore_changes=tuple(request.ignoreChanges),
        retain_on_delete=request.retainOnDelete,
        transforms=len(request.transforms),
    )


def _unwrapped(value: Any, path: KeyPath, secrets: set[KeyPath]) -> Any:
    """The value without the wrappers of secrets, whose paths are added to `secrets`."""
    if isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
        secrets.add(path)
        return _unwrapped(value["value"], path, secrets)
    if isinstance(value, dict):
        return {name: _unwrapped(item, (*path, name), secrets) for name, item in value.items()}
    if isinstance(value, list):
        return [_unwrapped(item, (*path, str(index)), secrets) for index, item in enumerate(value)]
    # The wire knows one kind of number; whole ones are written as such in manifests.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _texts(value: Any, path: KeyPath, secrets: frozenset[KeyPath]) -> Iterator[tuple[KeyPath, str]]:
    if path in secrets:
        return
    if isinstance(value, str):
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from _texts(item, (*path, str(name)), secrets)

"""Where the Kubernetes API has its objects, and what reading them is called where rights are given. Pure."""

from __future__ import annotations

from components.manifests import Manifest


def collection_of(manifest: Manifest) -> str:
    """Where the API lists the objects of a built-in or of Knative's kinds, whose plurals are regular."""
    version, metadata, kind = manifest["apiVersion"], manifest["metadata"], manifest["kind"].lower()
    space = f"/namespaces/{metadata['namespace']}" if metadata.get("namespace") else ""
    return f"/{'apis' if '/' in version else 'api'}/{version}{space}/{kind}{'es' if kind.endswith('s') else 's'}"


def is_collection(path: str) -> bool:
    """Whether a path is of all objects of a kind, not of one of them."""
    return not _parts(path)[3]


def question(path: str) -> str:
    """What a user needs the right to, for reading a path: `list services.serving.knative.dev in default`."""
    group, space, plural, name = _parts(path)
    kind = f"{plural}.{group}" if group else plural
    return f"{f'get {kind} {name}' if name else f'list {kind}'}{f' in {space}' if space else ''}"


def _parts(path: str) -> tuple[str, str, str, str]:
    """Group (empty: the core's), namespace, plural and name, the two others empty where there is none."""
    head, *rest = path.strip("/").split("/")
    group, rest = ("", rest[1:]) if head == "api" else (rest[0], rest[2:])
    # A namespace itself is a name among the namespaces; what is in one has its plural behind that.
    space, rest = (rest[1], rest[2:]) if rest[0] == "namespaces" and len(rest) > 2 else ("", rest)
    return group, space, rest[0], "".join(rest[1:2])

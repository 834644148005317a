"""Where an image really comes from: the redirection of image references. Pure.

A map's keys are repositories as the runtime knows them (`docker.io/library/redis`, `gcr.io/knative-releases/…`);
the longest key that matches wins. A key that ends with `/` is a prefix, replaced by its value: repository rest,
tag and digest stay. Any other key is one whole repository: its value, where it has a tag or a digest, replaces the
whole reference; without one the reference keeps its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reference:
    """An image reference in its parts; `suffix` is the tag and digest with their separators (`:v1@sha256:…`)."""

    repository: str
    suffix: str

    @staticmethod
    def parse(text: str) -> Reference:
        """Split a reference and spell out Docker Hub: `redis:7` is docker.io/library/redis with suffix `:7`."""
        name, at, digest = text.partition("@")
        repository, colon, tag = name.rpartition(":")
        if not colon or "/" in tag:  # no tag, or the colon of a registry's port
            repository, colon, tag = name, "", ""
        first, slash, _ = repository.partition("/")
        if not slash:
            repository = f"docker.io/library/{repository}"
        elif "." not in first and ":" not in first and first != "localhost":
            repository = f"docker.io/{repository}"
        return Reference(repository, f"{colon}{tag}{at}{digest}")

    @property
    def registry(self) -> str:
        """The registry's host."""
        return self.repository.partition("/")[0]

    @property
    def path(self) -> str:
        """The repository without its registry."""
        return self.repository.partition("/")[2]

    @property
    def tag(self) -> str:
        """The tag; empty where there is none."""
        return self.suffix.partition("@")[0].removeprefix(":")

    @property
    def digest(self) -> str:
        """The digest (`sha256:…`); empty where there is none."""
        return self.suffix.partition("@")[2]

    def __str__(self) -> str:
        return self.repository + self.suffix


@dataclass(frozen=True)
class ImageMap:
    """The redirections of `sources.images`."""

    redirections: Mapping[str, str] = field(default_factory=dict)

    def redirected(self, reference: str) -> str:
        """The reference that is used for `reference`; a reference that nothing matches stays as it was written."""
        parsed = Reference.parse(reference)
        matching = [
            key
            for key in self.redirections
            if parsed.repository == key or (key.endswith("/") and parsed.repository.startswith(key))
        ]
        if not matching:
            return reference
        key = max(matching, key=len)
        value = self.redirections[key]
        if key.endswith("/"):
            return value + parsed.repository.removeprefix(key) + parsed.suffix
        return value if Reference.parse(value).suffix else value + parsed.suffix

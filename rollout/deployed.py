"""The configuration that a stack was last updated with, as a file of this process: a rollout makes its updates with it.

The person's own file may have edits that nobody has deployed yet, or a slip. Neither is a rollout's business.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rollout import RolloutError
from rollout.configuration import ROLLOUTS, SERVICES

NO_SPACE = "TMPDIR names the folder that it is in"


class Deployed:
    """A configuration file of Pulumi's, in JSON, which is YAML that nobody reads in two ways. Secrets are encrypted."""

    def __init__(self, file: Path) -> None:
        """file: need not exist yet; is closed to others."""
        self.file = file

    def keep(self, document: Mapping[str, Any]) -> None:
        """Replace all of it.

        document: what a configuration file says: `config`, and how its secrets are encrypted. Raises RolloutError.
        """
        try:
            self.file.touch(0o600)
            self.file.write_text(json.dumps(document))
        except OSError as error:
            raise RolloutError(f"{self.file} cannot be written ({error.strerror}): {NO_SPACE}") from None

    def put(self, service: str, entry: Mapping[str, Any] | None, rollout: Mapping[str, Any]) -> None:
        """Set the service's entry, or take it away, and its rollout's. Where `services` names files, they have it: they
        are written before an update, and read by it.
        """
        document = json.loads(self.file.read_text())
        config = document.setdefault("config", {})
        if isinstance(config.get(SERVICES), str):
            return
        for key, value in ((SERVICES, entry), (ROLLOUTS, rollout)):
            others = {name: other for name, other in (config.get(key) or {}).items() if name != service}
            config[key] = others if value is None else {**others, service: value}
        self.keep(document)

"""The conference application, as the tests name it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from settings import Definition
from settings.application import application

ROOT = Path(__file__).resolve().parents[1]
SERVICES: Mapping[str, Definition] = application(None, {}, ROOT, []).definitions
REPOSITORIES: Mapping[str, str] = {
    name: each.template["spec"]["containers"][0]["image"].rpartition(":")[0] for name, each in SERVICES.items()
}
"""Where the images of each service are published."""

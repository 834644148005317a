"""The conference application, as the tests name it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from settings import Definition
from settings.application import application

ROOT = Path(__file__).resolve().parents[1]
SERVICES: Mapping[str, Definition] = application(None, {}, ROOT, []).definitions

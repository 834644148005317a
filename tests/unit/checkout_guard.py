"""No unit test opens what using the product changes: the settings files and `.local` of the checkout that it runs in.

`make up` writes into them, so a test that reads them passes or fails by what its user did before.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ("open", "os.listdir", "os.scandir")
"""Python's audit events of what is read."""
_CHANGED = re.compile(re.escape(f"{ROOT}{os.sep}") + r"(Pulumi\.[^/]+\.yaml|\.local(/.*)?)")


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook: raises AssertionError before such a file or folder is opened."""
    if event not in EVENTS or not arguments or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    given = os.fsdecode(arguments[0])
    # os.open, which has no mode, may take a name below an open folder: shutil.rmtree does.
    if event == "open" and arguments[1] is None and not os.path.isabs(given):  # noqa: PTH117
        return
    path = os.path.abspath(given)  # noqa: PTH100 - Path.resolve would itself look at the disk
    if _CHANGED.fullmatch(path):
        raise AssertionError(f"a unit test uses {path}, which `make up` changes: give it a file of its own")


def pytest_configure() -> None:
    """Watch from before the first test module is imported."""
    sys.addaudithook(refuse)


def pytest_report_header() -> str:
    """Say so."""
    return "the checkout's Pulumi.*.yaml and .local are closed to the tests"

"""Chromium without a window, for the tests that look at pages."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from offline.engine_host import install

COMMANDS = {"chromium": "chromium", "chromedriver": "chromium-driver"}
"""What is run, and the Debian package that it is in."""


@contextlib.contextmanager
def chromium(profile: Path, *arguments: str) -> Iterator[webdriver.Chrome]:
    """A browser; installed first where it is missing.

    profile: an empty folder for it.
    arguments: further ones, without their dashes.
    """
    missing = {command: package for command, package in COMMANDS.items() if shutil.which(command) is None}
    if missing and (os.geteuid() != 0 or shutil.which("apt-get") is None):
        pytest.fail(f"not found: {', '.join(missing)}. On Debian: apt-get install {' '.join(missing.values())}", False)
    install(COMMANDS)
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in (
        "headless=new",
        "no-sandbox",  # the sandbox refuses root
        "disable-dev-shm-usage",  # in containers /dev/shm is small
        f"user-data-dir={profile}",
        *arguments,
    ):
        options.add_argument(f"--{argument}")
    driver = webdriver.Chrome(options, Service(str(shutil.which("chromedriver"))))
    driver.set_page_load_timeout(60)
    driver.set_script_timeout(60)
    try:
        yield driver
    finally:
        driver.quit()

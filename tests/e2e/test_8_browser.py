"""What a person sees: the pages of both versions in a real browser, by the service's URL and by the tag's.

A browser sends no header that chooses a version, so only URLs are tried. Public DNS is not asked: the browser maps the
names to the ingress itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver

from tests.e2e.browser import chromium
from tests.e2e.environment import PROJECT, SOURCES, Environment

STYLE = PROJECT / "offline" / "go" / "conference" / "internal" / "frontend" / "page" / "page.css"
DARK = {
    "frontend": {
        "stable": {"version": "v1.0.0", "tag": "current"},
        "tracks": {"version110": {"version": "v1.1.0", "tag": "version110", "env": {"FEATURE_DEBUG_ENABLED": "true"}}},
    }
}
BACKGROUNDS = """
return [...document.querySelectorAll("body, body *")].filter(e => e.checkVisibility())
  .map(e => getComputedStyle(e).backgroundColor)
"""
VERSION = """
const done = arguments[0];
fetch("/api/service/info").then(answer => answer.json())
  .then(info => done(info.version), problem => done(String(problem)));
"""


@pytest.fixture(scope="module")
def urls(environment: Environment) -> dict[str, str]:
    """URLs of the frontend, as the stack's outputs say: of the service, and of each tag."""
    environment.configure(DARK)
    environment.up()
    frontend = environment.outputs()["services"]["frontend"]
    return {"service": frontend["url"], **{track["tag"]: track["url"] for track in frontend["tracks"].values()}}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium, to which the services' names are the ingress."""
    with chromium(tmp_path_factory.mktemp("chromium"), "host-resolver-rules=MAP *.127.0.0.1.sslip.io 127.0.0.1") as it:
        yield it


def page(browser: webdriver.Chrome, url: str) -> dict[str, Any]:
    """What a page shows: its text, the colours behind it, and the version that its own requests reach."""
    browser.get(url)
    return {
        "text": browser.find_element("tag name", "body").text,
        "colours": set(browser.execute_script(BACKGROUNDS)),
        "version": browser.execute_async_script(VERSION),
    }


def themes() -> list[str]:
    """The colours of the stand-in's page, as a browser names them: of v1.0.0, and of later versions."""
    colours = re.findall(r"--theme: #(..)(..)(..);", STYLE.read_text())
    return [f"rgb({', '.join(str(int(part, 16)) for part in colour)})" for colour in colours]


def test_both_pages_are_seen_in_their_colours(browser: webdriver.Chrome, urls: dict[str, str]) -> None:
    old, new, current = (page(browser, urls[name]) for name in ("service", "version110", "current"))
    assert (old["version"], new["version"], current["version"]) == ("1.0.0", "1.1.0", "1.0.0")
    assert old["colours"] == current["colours"] != new["colours"], "v1.1.0 has colours of its own"
    assert "Debug" in new["text"] and "Debug" not in old["text"], "the debug tab is in v1.1.0 alone"
    if SOURCES.exists():  # the application is the stand-in, whose colours are known
        first, later = themes()
        assert first in old["colours"] and later not in old["colours"], old["colours"]
        assert later in new["colours"] and first not in new["colours"], new["colours"]

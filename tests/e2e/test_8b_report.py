"""The report of a rollout as a person sees it, in a real browser, light and dark, wide and narrow. Needs no cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from analysis.history import Event
from analysis.report import html
from tests import rollout_history
from tests.e2e.browser import chromium

WIDE, NARROW = (1100, 1600), (400, 900)
CONTRAST = 4.5
"""Least contrast of a text with what is behind it: WCAG 2, level AA."""
TEXTS = """
const behind = e => { for (; e; e = e.parentElement) {
  const colour = getComputedStyle(e).backgroundColor;
  if (colour !== "rgba(0, 0, 0, 0)") return colour; } };
return [...document.querySelectorAll("body *")]
  .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
  .map(e => { const own = getComputedStyle(e), drawn = e instanceof SVGElement, box = e.getBoundingClientRect();
    return [e.textContent.trim().slice(0, 40), drawn ? own.fill : own.color, behind(e), box.left, box.right,
            parseFloat(own.fontSize) * (drawn ? e.ownerSVGElement.getScreenCTM().a : 1)]; })
  .filter(([text, , , left, right]) => right > left);
"""
LINES = """
return [...document.querySelectorAll("main figure div svg path.drawn")].map(e => [e.getAttribute("class"),
  getComputedStyle(e).stroke, getComputedStyle(e).strokeDasharray, e.getTotalLength()]);
"""
OUTSIDE = """
return [...performance.getEntriesByType("resource")].map(e => e.name);
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium that reaches no host at all."""
    with chromium(tmp_path_factory.mktemp("chromium"), "host-resolver-rules=MAP * ~NOTFOUND", "hide-scrollbars") as it:
        yield it


def shown(
    browser: webdriver.Chrome, folder: Path, events: list[Event], scheme: str, size: tuple[int, int] = WIDE
) -> Mapping[str, Any]:
    """What a report shows; a screenshot of it stays in the test's folder."""
    page = folder / "report.html"
    page.write_text(html(events))
    browser.set_window_size(*size)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(page.as_uri())
    browser.save_screenshot(str(folder / f"report-{scheme}-{size[0]}.png"))
    return {
        "text": browser.find_element("tag name", "body").text,
        "texts": browser.execute_script(TEXTS),
        "lines": browser.execute_script(LINES),
        "outside": browser.execute_script(OUTSIDE),
        "width": browser.execute_script("return document.documentElement.scrollWidth"),
        "window": browser.execute_script("return document.documentElement.clientWidth"),
    }


def luminance(colour: str) -> float:
    """Relative luminance of a colour as browsers name it (WCAG 2)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(browser: webdriver.Chrome, tmp_path: Path, scheme: str) -> None:
    seen = shown(browser, tmp_path, rollout_history.rolled_back(), scheme)
    assert len(seen["texts"]) > 60, "hardly any text is seen: this test proves little"
    weak = [
        (t, round(contrast(own, behind), 2)) for t, own, behind, *_ in seen["texts"] if contrast(own, behind) < CONTRAST
    ]
    assert not weak, f"too little contrast: {weak}"
    tiny = [(text, size) for text, _, _, _, _, size in seen["texts"] if size < 11]
    assert not tiny, f"too small: {tiny}"
    dark = luminance(seen["texts"][0][2]) < 0.2
    assert dark == (scheme == "dark"), "the page follows the reader's setting"


def test_the_verdict_and_its_numbers_are_seen_without_a_click(browser: webdriver.Chrome, tmp_path: Path) -> None:
    events = rollout_history.rolled_back()
    seen = shown(browser, tmp_path, events, "light")["text"]
    for wanted in ("✗ rolled back", "error rate against stable", "at most 1% wanted", "The same as before", "p ≤"):
        assert wanted in seen, f"{wanted!r} is not seen"


def test_tracks_differ_by_more_than_their_colour_and_their_lines_are_drawn(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    lines = shown(browser, tmp_path, rollout_history.promoted(), "light")["lines"]
    styles = {kind: (stroke, dashes) for kind, stroke, dashes, _ in lines}
    stable, candidate = styles["drawn stable"], styles["drawn candidate"]
    assert stable[0] != candidate[0] and stable[1] != candidate[1]
    assert len(lines) == 6 and all(length > 300 for *_, length in lines), "a line of each track in each of three panels"


def test_a_narrow_window_scrolls_pictures_and_tables_not_the_page(browser: webdriver.Chrome, tmp_path: Path) -> None:
    seen = shown(browser, tmp_path, rollout_history.promoted(), "dark", NARROW)
    assert seen["width"] <= seen["window"], "the page is wider than its window"


def test_nothing_is_fetched_and_names_are_no_markup(browser: webdriver.Chrome, tmp_path: Path) -> None:
    seen = shown(browser, tmp_path, rollout_history.without_an_end(), "light")
    assert seen["outside"] == [] and "<script>alert('a|b')</script>" in seen["text"]
    assert "not ended" in seen["text"]

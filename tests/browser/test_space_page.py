"""The studio as a Space: it keeps nothing, and a person's own browser keeps the results."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.library.transit import Transit
from studio.server.access import rules_for
from tests.browser.conftest import download, find_free_port, open_page, open_tab, settle
from tests.browser.test_library_page import CARDS, SHELF, open_library, speak
from tests.studio.debug_studio import serve_studio

HELD = "async () => (await (await fetch('library/items')).json()).items.length"
TITLES = "() => Array.from(document.querySelectorAll('#library-grid b'), (each) => each.textContent)"
DENIED = """for (const name of ["localStorage", "sessionStorage", "indexedDB"]) Object.defineProperty(window, name, {
    configurable: true, get() { throw new DOMException("Access is denied for this document.", "SecurityError"); },
});"""  # as many browsers do in a frame of another site


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a studio that passes its results on."""
    rules, port = rules_for(None, ["http://studio.test"]), find_free_port()
    with serve_studio(tmp_path_factory.mktemp("space"), Transit(), rules=rules, server_port=port) as address:
        yield address


def pack_both(page: Any, folder: Path) -> None:
    """Take both results away as one file, which the browser packs."""
    for number in range(2):
        page.locator(f"{CARDS} .pick").nth(number).click()
    with zipfile.ZipFile(download(page, "#library-zip", folder)) as packed:
        assert packed.testzip() is None
        assert {each.split("/")[0] for each in packed.namelist()} == {"town-renamed", "a-calm-sea-at-night"}
        assert sum(each.endswith(".wav") for each in packed.namelist()) == 2


def test_the_browser_keeps_what_was_made(chromium: Any, space: str, tmp_path: Path) -> None:
    for page in open_page(chromium, space):
        page.set_default_timeout(60_000)
        for text in ("A calm sea at night.", "The city sleeps."):
            speak(page, text)
        assert page.evaluate(HELD) == 0  # the server has passed both on
        page.reload()
        page.wait_for_function(f"() => document.querySelectorAll('{SHELF}').length === 2")
        settle(page)
        open_library(page)
        assert page.evaluate(TITLES) == ["The city sleeps.", "A calm sea at night."]
        assert "in this browser alone" in page.inner_text("#library-usage")
        page.fill("#library-search", "sea night")
        page.wait_for_function(f"() => document.querySelectorAll('{CARDS}').length === 1")
        page.locator(f"{CARDS} .star").click()
        page.wait_for_selector(f"{CARDS} .star.on")
        page.fill("#library-search", "")
        page.wait_for_function(f"() => document.querySelectorAll('{CARDS}').length === 2")
        page.locator(f"{CARDS} .play").first.click()
        page.wait_for_selector(f"{CARDS}.playing")
        page.locator(f"{CARDS} .play").first.click()

        page.locator(CARDS).first.focus()
        page.keyboard.press("Enter")
        page.fill("#library-dialog .title", "Town, renamed")
        page.keyboard.press("Tab")
        page.wait_for_function(f"() => document.querySelector('{CARDS} b').textContent === 'Town, renamed'")
        wav = download(page, "#library-dialog .files a:has-text('WAV')", tmp_path)
        assert wav.name.startswith("the-city-sleeps-") and wav.read_bytes()[:4] == b"RIFF"
        page.keyboard.press("Escape")
        page.locator(CARDS).first.focus()
        page.keyboard.press("Delete")
        page.wait_for_function(f"() => document.querySelectorAll('{CARDS}').length === 1")
        page.locator("#library-toast button", has_text="Undo").click()
        page.wait_for_function(f"() => document.querySelectorAll('{CARDS}').length === 2")

        pack_both(page, tmp_path)
        page.reload()
        page.wait_for_selector(CARDS)
        assert page.evaluate(TITLES) == ["Town, renamed", "A calm sea at night."]
        assert page.locator(f"{CARDS} .star.on").count() == 1
        page.locator(f"{CARDS} .about", has_text="A calm sea").click()
        page.click("#library-open")
        page.wait_for_function("() => document.querySelector('#speech-text textarea').value === 'A calm sea at night.'")
        open_library(page)
        page.locator(f"{CARDS} .about", has_text="Town").click()
        page.select_option("#library-send", label="Style Transfer: Sound")
        page.wait_for_selector("#style-audio-content [aria-label='Clear']")
        page.click("#style-audio-make")
        page.wait_for_function("() => document.querySelector('#style-audio-status').innerText.includes('of sound')")
        open_library(page)
        page.wait_for_function(f"() => document.querySelectorAll('{CARDS}').length === 3")
        page.locator(f"{CARDS} .about").first.click()
        page.wait_for_selector("#library-dialog .tree")
        assert page.locator("#library-dialog .tree > li > button").inner_text() == "Speech: Town, renamed"


def test_without_storage_results_last_as_long_as_the_page(chromium: Any, space: str) -> None:
    for page in open_page(chromium, space):
        page.add_init_script(DENIED)
        page.reload()
        page.wait_for_selector("#speech-text textarea")
        settle(page)
        speak(page, "Soon gone.")
        open_tab(page, "Library")
        page.wait_for_selector(CARDS)
        assert "results last until you close it" in page.inner_text("#library-usage")
        page.reload()
        page.wait_for_selector("#library-grid .empty")

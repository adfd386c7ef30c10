"""A person and the library: what is made is kept, found, played, sent on, opened again, compared, deleted, had back."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import download, open_page, open_tab, settle

CARDS = "#library-grid .result-card"
SHELF = "#library-shelf-root .result-card"
SPOKEN = "() => document.querySelector('#speech-status').innerText.includes('of speech')"


def speak(page: Any, text: str) -> None:
    """Make one result in the Speech tab, and wait until it stands on the shelf."""
    before = page.locator(SHELF).count()
    page.fill("#speech-text textarea", text)
    page.click("#speech-generate")
    page.wait_for_function(
        "([selector, count]) => document.querySelectorAll(selector).length > count", arg=[SHELF, before]
    )
    page.wait_for_selector("#speech-generate:enabled")


@pytest.fixture
def library_page(chromium: Any, address: str) -> Iterator[Any]:
    """Yield a page of a person who has made two results."""
    for page in open_page(chromium, address):
        page.set_default_timeout(30_000)
        settle(page)
        for text in ("A calm sea at night.", "The city sleeps."):
            speak(page, text)
        yield page


def open_library(page: Any) -> None:
    """Open the Library tab with its cards."""
    open_tab(page, "Library")
    page.wait_for_selector(CARDS)


def test_results_are_found_renamed_played_deleted_and_had_back(library_page: Any, tmp_path: Path) -> None:
    page = library_page
    open_library(page)
    titles = "() => Array.from(document.querySelectorAll('#library-grid b'), (each) => each.textContent)"
    assert page.evaluate(titles) == ["The city sleeps.", "A calm sea at night."]
    page.fill("#library-search", "night sea")
    page.wait_for_function(f"() => document.querySelectorAll('{CARDS}').length === 1")
    page.locator(f"{CARDS} .star").click()
    page.fill("#library-search", "")
    page.wait_for_function(f"() => document.querySelectorAll('{CARDS}').length === 2")
    page.locator("#library-kinds button", has_text="Favourites").click()
    page.wait_for_function(f"() => document.querySelectorAll('{CARDS}').length === 1")
    assert page.evaluate(titles) == ["A calm sea at night."]

    page.locator(f"{CARDS} .play").click()
    page.wait_for_selector(f"{CARDS}.playing")
    page.locator(f"{CARDS} .play").click()
    page.wait_for_selector(f"{CARDS}:not(.playing)")

    page.locator(CARDS).focus()
    page.keyboard.press("Enter")
    page.fill("#library-dialog .title", "Sea, renamed")
    page.keyboard.press("Tab")
    page.wait_for_function(f"() => document.querySelector('{CARDS} b').textContent === 'Sea, renamed'")
    wav = download(page, "#library-dialog .files a:has-text('WAV')", tmp_path)
    assert wav.name.startswith("a-calm-sea-at-night-")
    assert wav.read_bytes()[:4] == b"RIFF"
    page.keyboard.press("Escape")
    page.wait_for_selector("#library-dialog", state="hidden")

    page.locator(CARDS).focus()
    page.keyboard.press("Delete")
    page.wait_for_selector("#library-grid .empty")
    page.locator("#library-toast button", has_text="Undo").click()
    page.wait_for_selector(CARDS)
    assert page.evaluate(titles) == ["Sea, renamed"]
    page.reload()
    page.wait_for_selector(CARDS)
    assert page.title() == "Library · Auralume"


def test_many_are_taken_away_as_one_file_and_two_are_compared(library_page: Any, tmp_path: Path) -> None:
    page = library_page
    speak(page, "The city sleeps.")
    open_library(page)
    page.wait_for_function(f"() => document.querySelectorAll('{CARDS}').length === 3")
    for number in range(3):
        page.locator(f"{CARDS} .pick").nth(number).click()
    packed = download(page, "#library-zip", tmp_path)
    with zipfile.ZipFile(packed) as found:
        names = found.namelist()
        assert found.testzip() is None
    folders = {name.split("/")[0] for name in names}
    assert folders == {"the-city-sleeps (1)", "the-city-sleeps (2)", "a-calm-sea-at-night"}
    assert sum(name.endswith(".wav") for name in names) == 3
    page.locator(f"{CARDS} .pick").nth(2).click()
    page.click("#library-compare")
    page.wait_for_selector("#library-dialog .pair")
    assert page.locator("#library-dialog .pair audio").count() == 2
    assert page.locator("#library-dialog table tr").all_inner_texts()[0].startswith("Seed")  # a new one each press
    page.locator("#library-dialog button", has_text="Play both").click()
    page.wait_for_function(
        "() => { const [a, b] = document.querySelectorAll('#library-dialog audio'); return !a.muted && b.muted; }"
    )


def test_a_result_opens_where_it_was_made_and_goes_to_inputs_of_other_tabs(library_page: Any) -> None:
    page = library_page
    page.fill("#speech-text textarea", "Something else.")
    open_library(page)
    page.locator(f"{CARDS} .about", has_text="A calm sea").click()
    page.click("#library-open")
    page.wait_for_function("() => document.querySelector('#speech-text textarea').value === 'A calm sea at night.'")
    assert "tab=speech" in page.url
    page.go_back()
    page.wait_for_function("() => document.title === 'Library · Auralume'")
    page.wait_for_selector(CARDS)

    page.locator(f"{CARDS} .about", has_text="The city").click()
    page.select_option("#library-send", label="Style Transfer: Sound")
    page.wait_for_selector("#style-audio-content [aria-label='Clear']")
    page.click("#style-audio-make")
    page.wait_for_function("() => document.querySelector('#style-audio-status').innerText.includes('of sound')")
    open_library(page)
    page.wait_for_function(f"() => document.querySelectorAll('{CARDS}').length === 3")
    page.locator(f"{CARDS} .about").first.click()
    page.wait_for_selector("#library-dialog .tree")
    assert page.locator("#library-dialog .tree > li > button").inner_text() == "Speech: The city sleeps."
    assert page.locator("#library-dialog .tree ul button.here").count() == 1
    page.keyboard.press("Escape")
    page.wait_for_selector("#library-dialog", state="hidden")

    for width, title in ((1440, "The city"), (768, "A calm sea"), (390, "The city")):
        page.set_viewport_size({"width": width, "height": 1600})
        open_library(page)
        drag_to_music_video(page, page.locator(CARDS, has_text=title).last)
        name = title.lower().replace(" ", "-")
        page.wait_for_function(f"() => document.querySelector('#mv-song').innerText.includes('{name}')")


def drag_to_music_video(page: Any, card: Any) -> None:
    """Drag a card over the tab, which stands in the menu of a narrow bar, and drop it on the song's box."""

    def move_over(target: Any) -> None:
        box = target.bounding_box()
        for step in range(3):  # a drag begins with the first move, and is told of those that follow
            page.mouse.move(box["x"] + box["width"] / 2 + step, box["y"] + box["height"] / 2)

    card.scroll_into_view_if_needed()
    box = card.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 42, box["y"] + 32)
    bar = page.locator(".tab-wrapper").first
    tab = bar.get_by_role("tab", name="Music Video", exact=True)
    if tab.count() == 0:
        move_over(bar.get_by_role("button", name="More tabs"))
        tab = bar.locator(".overflow-dropdown button", has_text=re.compile("^Music Video$"))
        tab.wait_for()
    move_over(tab)
    page.wait_for_selector("#mv-song.takes-result")
    move_over(page.locator("#mv-song"))
    page.mouse.up()


def test_nobody_sees_what_another_has_made(library_page: Any, chromium: Any, address: str) -> None:
    mine = library_page.evaluate(
        "async () => (await (await fetch('library/items')).json()).items.map((each) => [each.id, each.files[0].name])"
    )
    assert len(mine) == 2
    for other in open_page(chromium, address):
        settle(other)
        open_tab(other, "Library")
        other.wait_for_selector("#library-grid .empty")
        for item, name in mine:
            asked = "async (path) => (await fetch(path)).status"
            assert other.evaluate(asked, f"library/item?id={item}") == 404
            assert other.evaluate(asked, f"library/file/{item}/{name}") == 404
            assert other.evaluate(asked, f"library/zip?ids={item}") == 400
        told = """async (ids) => {
          const answer = await fetch('library/delete', {method: 'POST', body: JSON.stringify({ids})});
          return (await answer.json()).ids;
        }"""
        assert other.evaluate(told, [item for item, _ in mine]) == []
    assert library_page.evaluate("async () => (await (await fetch('library/state')).json()).count") == 2

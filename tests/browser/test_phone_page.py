"""A person with a phone: every tab is as wide as the screen, before and after something was made in it.

With their results nothing lies over a control, at no width, and axe-core finds nothing serious.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import open_page, open_tab, settle
from tests.browser.reach import list_problems, prepare
from tests.models.music_video.debug_video import click_song

WIDTH = 390


@pytest.fixture
def phone(chromium: Any, address: str) -> Iterator[Any]:
    yield from open_page(chromium, address, viewport={"width": WIDTH, "height": 844})


def _says(page: Any, where: str, words: str) -> None:
    page.wait_for_function(
        "([where, words]) => document.querySelector(where)?.innerText.includes(words)", arg=[where, words]
    )


def _fits(page: Any) -> None:
    outside = """(width) => [...document.querySelectorAll("button, input, textarea, .card, .tabitem *")]
        .filter((each) => each.offsetParent && each.getBoundingClientRect().right > width + 1)
        .map((each) => `${each.id}|${each.className}`).slice(0, 6)"""
    wide = page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= WIDTH, page.evaluate(outside, WIDTH)


def test_every_tab_fits_with_its_results(phone: Any, tmp_path: Path) -> None:
    page, problems = phone, list[str]()
    prepare(page)
    open_tab(page, "Music")
    page.fill("#music-bars input[type=number]", "4")
    page.keyboard.press("Tab")
    page.click("#music-compose")
    _says(page, "#music-status", "of music")
    _fits(page)
    problems += list_problems(page, "Music with a piece")

    open_tab(page, "Video")
    page.click("#video-generate")
    _says(page, "#video-status", "of video")
    _fits(page)
    problems += list_problems(page, "Video with a clip")

    open_tab(page, "Music Video")
    (tmp_path / "broken.mp3").write_bytes(b"no song at all")
    page.set_input_files("#mv-song input[type=file]", tmp_path / "broken.mp3")
    _says(page, "#mv-status", "no sound that can be read")
    page.locator("#mv-song").get_by_label("Clear").first.click()
    page.set_input_files("#mv-song input[type=file]", click_song(tmp_path / "song.wav", 4.0))
    _says(page, "#mv-status", "beats at 120 a minute")
    page.click("#mv-preview")
    _says(page, "#mv-status", "of video")
    _fits(page)
    problems += list_problems(page, "Music Video with a video")

    open_tab(page, "Style Transfer")
    page.wait_for_selector("#style-video-make")
    settle(page)
    _fits(page)

    open_tab(page, "Models")
    page.wait_for_selector("#shelf-overview .model")
    _fits(page)
    page.fill("#shelf-repository input, #shelf-repository textarea", "nobody/nothing")
    page.click("#shelf-add")
    _says(page, "#shelf-status", "obody/nothing is not on the Hub")
    assert "\n".join(problems) == ""


def test_a_microphone_is_heard_and_comes_back(phone: Any) -> None:
    report = "window.auralumeLive.report()"
    page = phone
    open_tab(page, "Live")
    page.wait_for_selector("#live-keys [data-pitch='60']")
    _fits(page)
    page.click("#live-listen")
    page.wait_for_function(f"() => {report}.chunks > 2 && {report}.pictures > 0")
    _fits(page)
    page.click("#live-stop")
    _says(page, "#live-line", "recorded")

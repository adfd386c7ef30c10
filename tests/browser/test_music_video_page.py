"""A person at the Music Video tab: a song in, beats seen and corrected, a video drawn and played; also from Music."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.media.clip_info import probe
from models.media.clip_reader import read_frames
from tests.browser.conftest import (
    download,
    open_more_settings,
    open_page,
    open_tab,
    pick,
    put_on_shelf,
    settle,
)
from tests.hub_server import HubServer
from tests.models.music_video.debug_video import click_song

STATUS = "document.querySelector('#mv-status').innerText"
VIDEO = "document.querySelector('#mv-video video')"
BEATS = "#mv-plot .beat"
SHOT = "#mv-board .shot"


@pytest.fixture
def film_page(chromium: Any, address: str) -> Iterator[Any]:
    for page in open_page(chromium, address):
        _open(page)
        yield page


def _open(page: Any) -> None:
    open_tab(page, "Music Video")
    page.wait_for_selector("#mv-make")
    settle(page)


def _says(page: Any, words: str) -> None:
    page.wait_for_function(f"() => {STATUS}.includes({words!r})")


def _upload(page: Any, song: Path) -> None:
    page.set_input_files("#mv-song input[type=file]", song)
    _says(page, "beats at 120 a minute")


def test_a_song_becomes_a_video_on_its_corrected_beats(film_page: Any, tmp_path: Path) -> None:
    page = film_page
    _upload(page, click_song(tmp_path / "song.wav", 4.0))
    page.wait_for_selector(BEATS, state="attached")
    count = page.locator(BEATS).count()
    assert count >= 7
    page.click("#mv-half")
    _says(page, "beats at 60 a minute")
    page.click("#mv-beats-undo")
    _says(page, "beats at 120 a minute")
    page.locator(BEATS).nth(2).dispatch_event("click")
    page.wait_for_function("() => document.querySelector('#mv-beat input').value === '3'")
    page.click("#mv-delete")
    page.wait_for_function(f"() => document.querySelectorAll('{BEATS}').length === {count - 1}")
    rows = list(csv.reader(download(page, "#mv-csv", tmp_path).read_text().splitlines()))
    assert rows[0] == ["time_s", "place_in_bar"] and len(rows) == count

    page.locator("#mv-aspect label", has_text="9:16").click()
    page.click("#mv-make")
    _says(page, "of video")
    page.wait_for_selector("#mv-make:enabled")
    page.evaluate(f"() => {{ {VIDEO}.currentTime = 0; {VIDEO}.play(); }}")
    page.wait_for_function(f"() => {VIDEO}.currentTime > 0.3 && {VIDEO}.webkitAudioDecodedByteCount > 0")
    info = probe(download(page, "#mv-file", tmp_path))
    assert (info.width, info.height, info.frames, info.sound) == (720, 1280, 96, "aac")


def test_a_hub_model_films_what_was_picked_on_the_shelf(film_page: Any, hub: HubServer, tmp_path: Path) -> None:
    page = film_page
    put_on_shelf(page, hub, "film", "animatediff")
    open_tab(page, "Music Video")
    _upload(page, click_song(tmp_path / "song.wav", 2.0))
    open_more_settings(page)
    pick(page, "#mv-model", "tiny/film")
    page.wait_for_function("() => document.querySelector('#mv-shelf').innerText.includes('to download first')")
    assert "MB of memory" in page.text_content("#mv-shelf")
    page.wait_for_function("() => document.querySelector('#mv-steps input[type=number]').value === '50'")
    assert page.input_value("#mv-guidance input[type=number]") == "7.5"
    page.fill("#mv-steps input[type=number]", "5")
    page.keyboard.press("Tab")
    hub.gate.clear()
    try:
        page.click("#mv-preview")
        _says(page, "Downloading")
        page.wait_for_selector("#mv-status .bar")
    finally:
        hub.gate.set()
    _says(page, "of video")
    page.wait_for_selector("#mv-make:enabled")
    assert "Loaded and ready" in page.inner_text("#mv-shelf")
    info = probe(download(page, "#mv-file", tmp_path))
    assert (info.frames, info.sound) == (48, "aac")
    pick(page, "#mv-model", "Debug video quick")
    page.wait_for_function("() => document.querySelector('#mv-shelf').innerText.includes('Draws noise')")


def test_the_composed_piece_goes_on_to_a_video_and_stop_ends_the_work(chromium: Any, address: str) -> None:
    for page in open_page(chromium, address):
        open_tab(page, "Music")
        page.wait_for_selector("#music-compose")
        settle(page)
        open_more_settings(page)
        page.fill("#music-bars input[type=number]", "4")
        page.keyboard.press("Tab")
        page.click("#music-compose")
        page.wait_for_function("() => document.querySelector('#music-status').innerText.includes('of music')")
        page.click("#music-to-video")
        page.wait_for_selector(BEATS)  # seen: the tab has changed, and the beats were heard
        open_more_settings(page)
        page.locator("#mv-model").scroll_into_view_if_needed()
        page.click("#mv-model input")
        page.get_by_role("option", name="Debug video slow").click()
        page.click("#mv-make")
        _says(page, "Filming")
        page.click("#mv-stop")
        page.wait_for_selector("#mv-make:enabled")
        assert "Stopped" in page.evaluate(f"() => {STATUS}")
        assert page.locator("#mv-video video").count() == 0


def test_photos_are_arranged_changed_and_come_back_with_their_project(film_page: Any, tmp_path: Path) -> None:
    page = film_page
    photos = []
    for colour in ("red", "lime", "blue"):
        Image.new("RGB", (96, 64), colour).save(tmp_path / f"{colour}.png")
        photos.append(tmp_path / f"{colour}.png")
    page.set_input_files("#mv-media input[type=file]", photos)
    _upload(page, click_song(tmp_path / "song.wav", 6.0))
    page.wait_for_selector(SHOT)
    assert page.locator(f"{SHOT} .name").all_inner_texts() == ["red.png", "lime.png", "blue.png"]
    page.locator("#mv-aspect label", has_text="1:1").click()
    first = _make(page, tmp_path)

    page.locator(SHOT).nth(1).click()
    page.get_by_label("Source of the shot").select_option("red.png")
    page.locator(SHOT).nth(1).press("s")
    page.wait_for_function(f"() => document.querySelectorAll('{SHOT}').length === 4")
    page.locator(SHOT).nth(1).press("Control+z")
    page.locator(SHOT).nth(1).press("Alt+ArrowLeft")
    assert page.locator(f"{SHOT} .name").all_inner_texts() == ["red.png", "red.png", "blue.png"]
    page.locator(SHOT).nth(2).click()
    page.get_by_label("Style of the shot").select_option("woodcut")
    assert page.locator(SHOT).nth(2).inner_text().endswith("Woodcut")
    changed = _make(page, tmp_path)
    assert changed.shape == first.shape and (changed[:40] == first[:40]).all()  # red as before
    assert (changed[-8] != first[-8]).any(), "painted"
    assert changed[80].mean(axis=(0, 1)).argmax() == 0 and first[80].mean(axis=(0, 1)).argmax() == 1

    page.locator("button", has_text="Project").locator("visible=true").first.click()
    page.click("#mv-save-project")
    page.wait_for_selector("#mv-project:visible")
    project = download(page, "#mv-project", tmp_path)
    page.reload()
    page.wait_for_selector("#mv-make", state="attached")
    _open(page)
    page.locator("button", has_text="Project").locator("visible=true").first.click()
    page.set_input_files("#mv-open-project input[type=file]", project)
    page.wait_for_function("() => document.querySelector('#mv-project-note').innerText.includes('is open')")
    page.wait_for_selector(SHOT)
    assert page.locator(f"{SHOT} .name").all_inner_texts() == ["red.png", "red.png", "blue.png", "Woodcut"]
    np.testing.assert_array_equal(_make(page, tmp_path), changed)


def _make(page: Any, folder: Path) -> np.ndarray:
    """Make the video; return its frames, small."""
    page.click("#mv-make")
    page.wait_for_selector("#mv-stop:enabled")
    page.wait_for_selector("#mv-make:enabled")
    _says(page, "of video")
    path = download(page, "#mv-file", folder)
    return np.stack(list(read_frames(path, probe(path), 32, 32)))

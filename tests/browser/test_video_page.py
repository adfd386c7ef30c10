"""A person at the Video tab: types, watches it come out of the noise, plays it with sound, stops, repairs a clip."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.media.clip_info import probe
from studio.io.recipes import read_recipe
from tests.browser.conftest import download, open_more_settings, open_page, open_tab, pick, settle
from tests.browser.reach import list_problems, prepare

STATUS = "document.querySelector('#video-status').innerText"
SYNC = "document.querySelector('#sync-status').innerText"
CLIP = "document.querySelector('#video-result video')"
# What was on the page on the way, however slowly this machine looks: a moving preview, noise strips, Stop to press.
WATCH = f"""() => {{
    window.watched = {{previews: 0, stoppable: 0, strips: new Set()}};
    const look = () => {{
        if (!{STATUS}.includes('Denoising')) return;
        watched.previews += document.querySelectorAll('#video-film img.moving').length;
        document.querySelectorAll('#video-strip img').forEach(image => watched.strips.add(image.src));
        const [stop, make] = ['#video-stop', '#video-generate'].map(id => document.querySelector(id));
        watched.stoppable += !stop.disabled && make.disabled;
    }};
    new MutationObserver(look).observe(document.body, {{subtree: true, childList: true, attributes: true}});
}}"""
FINISHED = f"() => {STATUS}.includes('of video')"


@pytest.fixture
def video_page(chromium: Any, address: str) -> Iterator[Any]:
    for page in open_page(chromium, address):
        _open(page)
        yield page


def _open(page: Any) -> None:
    open_tab(page, "Video")
    page.wait_for_selector("#video-generate")
    settle(page)


def _choose_slow(page: Any) -> None:
    open_more_settings(page)
    page.locator("#video-model").scroll_into_view_if_needed()
    page.click("#video-model input")
    page.get_by_role("option", name="Debug video slow").click()


def test_a_prompt_becomes_a_playing_clip_with_sound(video_page: Any, tmp_path: Path) -> None:
    page = video_page
    _choose_slow(page)
    page.fill("#video-prompt textarea", "a red ball")
    page.evaluate(WATCH)
    page.click("#video-generate")
    page.wait_for_function("() => watched.strips.size > 1")  # the picture changed while it worked
    page.wait_for_function("() => watched.previews > 0 && watched.stoppable > 0")
    page.wait_for_function(FINISHED)
    page.wait_for_function(f"() => {CLIP}.currentTime > 0.3 && {CLIP}.loop")
    assert page.evaluate(f"() => [{CLIP}.videoWidth, {CLIP}.videoHeight]") == [256, 256]
    page.wait_for_function(f"() => {CLIP}.webkitAudioDecodedByteCount > 0")
    assert page.locator("#video-plot polyline").count() == 1
    assert "Contact sheet" in page.inner_text("#video-film")
    page.wait_for_selector("#video-webp:enabled")
    clip, loop = (download(page, button, tmp_path) for button in ("#video-file", "#video-gif"))
    assert re.fullmatch(r"a-red-ball-\d+\.mp4", clip.name) and loop.name == f"{clip.stem}.gif"  # a new seed each press
    assert probe(clip).sound == "aac" and probe(clip).frames == 48
    assert read_recipe(clip).settings["prompt"] == "a red ball"

    page.reload()
    _open(page)
    open_more_settings(page)
    page.set_input_files("#video-settings input[type=file]", clip)
    page.wait_for_function("() => document.querySelector('#video-prompt textarea').value === 'a red ball'")


def test_an_example_starts_at_once_and_stop_ends_the_work(video_page: Any) -> None:
    page = video_page
    _choose_slow(page)
    page.click(".example-chip >> text=Campfire")
    page.wait_for_function(f"() => {STATUS}.includes('Denoising')")
    assert "campfire" in page.input_value("#video-prompt textarea")
    page.click("#video-stop")
    page.wait_for_selector("#video-generate:enabled")
    assert "Stopped" in page.evaluate(f"() => {STATUS}")
    assert page.locator("#video-result video").count() == 0


def test_a_clip_whose_sound_is_late_is_told_and_repaired(video_page: Any, tmp_path: Path) -> None:
    page = video_page
    page.get_by_role("tab", name="Check and fix sync").click()
    settle(page)
    page.locator(".example-clip").first.click()
    page.wait_for_selector("#sync-clip >> text=sync-ball-before")
    page.click("#sync-check")
    page.wait_for_function(f"() => {SYNC}.includes('ms late')")
    late_ms = int(page.evaluate(f"() => {SYNC}").split(" ms late")[0].split()[-1])
    assert abs(late_ms - 240) < 20
    page.wait_for_selector("#sync-after video")
    assert page.locator("#sync-plot img").count() == 1
    prepare(page)
    assert list_problems(page, "Sync with a clip") == []
    assert probe(download(page, "#sync-file", tmp_path)).frames == 96
    assert "confidence" in page.evaluate(f"() => {SYNC}")


def test_the_parts_of_a_prompt_are_changed_and_the_clip_follows(video_page: Any, tmp_path: Path) -> None:
    page, parts = video_page, "#video-reading .read input"
    open_more_settings(page)
    pick(page, "#video-model", "Auralume")
    page.fill("#video-prompt textarea", "two cats walking on the beach at sunset")
    read = f"() => Array.from(document.querySelectorAll('{parts}'), (each) => each.value).join(', ')"
    page.wait_for_function(f"() => ({read})() === 'two cats, walking left, beach, dusk'")
    assert "drawn by rule" in page.inner_text("#video-reading")
    page.locator(parts).nth(0).fill("a dog")
    page.locator(parts).nth(0).press("Tab")
    page.wait_for_function(f"() => ({read})() === 'dog, walking left, beach, dusk'")
    page.locator("#video-reading .read button").nth(3).click()
    page.wait_for_function(f"() => ({read})() === 'dog, walking left, beach, day'")
    assert page.input_value("#video-prompt textarea") == "dog, walking left, beach"
    page.locator(parts).nth(1).focus()  # the list offers everything, and what is not changed stays
    assert page.input_value(f"{parts} >> nth=1") == ""
    page.keyboard.press("Escape")
    assert page.input_value(f"{parts} >> nth=1") == "walking left"
    page.fill("#video-prompt textarea", "a gearbox")
    page.wait_for_function("() => document.querySelector('#video-reading').innerText.includes('model of the Hub')")
    assert page.locator(parts).count() == 0
    page.fill("#video-prompt textarea", "dog, walking right, beach")
    page.click("#video-generate")
    page.wait_for_function(FINISHED)
    page.wait_for_selector("#video-webp:enabled")
    made = read_recipe(download(page, "#video-file", tmp_path))
    assert made.settings["prompt"] == "dog, walking right, beach" and "dog" in str(made)

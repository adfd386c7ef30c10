"""A person at the Speech tab: types, hears, sees, stops, and gets settings back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import soundfile

from studio.io.recipes import read_recipe
from tests.browser.conftest import open_more_settings, open_page, settle

LONG = "The quick brown fox jumps over the lazy dog while the sun is setting behind the hills. " * 12
SHORT = "The quick brown fox jumps over the lazy dog while the sun is setting behind the hills."
STATUS = "document.querySelector('#speech-status').innerText"
SOUND_S = "(document.querySelector('#speech-player audio')?.currentTime ?? 0)"
FINISHED = f"() => {STATUS}.includes('of speech')"


def _type(page: Any, text: str, model: str = "Debug slow") -> None:
    page.click("#speech-model input")
    page.get_by_role("option", name=model).click()
    page.fill("#speech-text textarea", text)


def _wait(page: Any, expression: str, timeout_s: float = 120) -> None:
    page.wait_for_function(expression, timeout=timeout_s * 1000)


def test_sound_plays_and_the_plot_grows_until_stop_ends_it(page: Any) -> None:
    _type(page, LONG)
    page.click("#speech-generate")
    buttons = "document.querySelector('#speech-generate').disabled && !document.querySelector('#speech-stop').disabled"
    _wait(page, f"() => {SOUND_S} > 0.3 && {STATUS}.includes('Speaking') && {buttons}")
    first_s = page.evaluate(f"() => {SOUND_S}")
    _wait(page, f"() => {SOUND_S} > {first_s} + 0.3 && {STATUS}.includes('Speaking')")
    picture = page.wait_for_selector(".alignment-picture")
    width, height = picture.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert width > 10 and height == len(SHORT)
    before = picture.get_attribute("src")
    _wait(
        page, f"() => document.querySelector('.alignment-picture').src !== {before!r} && {STATUS}.includes('Speaking')"
    )
    page.click("#speech-stop")
    _wait(page, f"() => {STATUS}.includes('stopped early')", timeout_s=30)
    assert page.evaluate("() => document.querySelector('#speech-player audio').paused")
    spoken = page.locator("#speech-words [data-start]").count()
    assert 0 < spoken < len(LONG.split()) / 2
    page.wait_for_selector("#speech-generate:enabled")
    _type(page, SHORT, "Debug quick")  # the studio is free again
    page.click("#speech-generate")
    _wait(page, f"() => {STATUS}.includes('of speech') && !{STATUS}.includes('stopped early')")
    assert "clear diagonal" in page.inner_text("#speech-verdict")
    assert page.locator("#speech-words [data-start]").count() == len(SHORT.split())
    assert page.locator("#speech-mel img").count() == 1

    page.click("#speech-undo:enabled")
    text = "document.querySelector('#speech-text textarea').value"
    _wait(page, f"() => {STATUS}.includes('stopped early') && {text} !== {SHORT!r} && {text}.startsWith({SHORT!r})")
    _wait(page, "() => /^http.*wav$/.test(document.querySelector('#speech-player audio')?.currentSrc)")
    assert page.evaluate("() => document.querySelector('#speech-player audio').paused")
    page.click("#speech-redo:enabled")
    _wait(page, f"() => !{STATUS}.includes('stopped early') && {text} === {SHORT!r}")
    page.wait_for_selector("#speech-redo:disabled")


def test_the_shipped_voice_is_heard(page: Any, tmp_path: Path) -> None:
    _type(page, "The harbour was quiet in the early morning, and a single boat came in.", "Auralume Tacotron 2")
    page.click("#speech-generate")
    _wait(page, f"() => {SOUND_S} > 0.5")
    _wait(page, FINISHED)
    assert page.locator("#speech-words [data-start]").count() == 14
    assert page.locator(".alignment-picture").count() == 1 and page.locator("#speech-mel img").count() == 1
    assert page.inner_text("#speech-verdict")
    with page.expect_download() as waiting:
        page.click("#speech-wav")
    samples, rate = soundfile.read(waiting.value.path())
    assert rate == 22_050 and 2.5 < len(samples) / rate < 8.0
    assert 0.01 < samples.std() < 0.3 and abs(samples).max() <= 1.0


def test_two_voices_are_mixed(page: Any) -> None:
    _type(page, "Both of us.", "Debug quick")
    page.wait_for_selector("#speech-second_voice", state="visible")
    assert not page.is_visible("#speech-blend")
    page.click("#speech-second_voice input")
    page.get_by_role("option", name="High tones").click()
    page.wait_for_selector("#speech-blend", state="visible")
    page.fill("#speech-blend input[type=number]", "0.3")
    page.press("#speech-blend input[type=number]", "Tab")
    page.click("#speech-generate")
    _wait(page, FINISHED)
    with page.expect_download() as waiting:
        page.click("#speech-wav")
    settings = read_recipe(waiting.value.path()).settings
    assert (settings["second_voice"], settings["blend"]) == ("high", 0.3)
    page.click("#speech-model input")
    page.get_by_role("option", name="Debug slow").click()
    page.wait_for_selector("#speech-second_voice", state="hidden")
    page.wait_for_selector("#speech-blend", state="hidden")


def test_words_light_up_while_they_are_heard(page: Any) -> None:
    _type(page, SHORT, "Debug quick")
    page.click("#speech-generate")
    _wait(page, "() => document.querySelectorAll('#speech-words .heard').length === 1")
    word = page.inner_text("#speech-words .heard")
    assert word in SHORT
    _wait(page, f"() => document.querySelector('#speech-words .heard')?.innerText !== {word!r}")


def test_control_enter_generates_and_downloads_bring_the_settings_back(page: Any, tmp_path: Path) -> None:
    _type(page, "Bring me back, please.", "Debug quick")
    open_more_settings(page)
    page.fill("#speech-seed input", "4242")
    page.focus("#speech-text textarea")
    page.keyboard.press("Control+Enter")
    _wait(page, FINISHED)
    saved = {}
    for name in ("wav", "mp3", "srt", "vtt"):
        with page.expect_download() as waiting:
            page.click(f"#speech-{name}")
        saved[name] = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(saved[name])
        assert saved[name].name == f"bring-me-back-please-4242.{name}"
    assert soundfile.info(saved["wav"]).duration == pytest.approx(4 * 0.32, abs=0.1)
    assert "Bring" in saved["srt"].read_text() and saved["vtt"].read_text().startswith("WEBVTT")

    page.reload()
    page.wait_for_selector("#speech-text textarea")
    _wait(page, "() => document.querySelector('#speech-text textarea').value === 'Bring me back, please.'")  # the draft
    open_more_settings(page)
    page.fill("#speech-text textarea", "Something else.")
    page.set_input_files("#speech-settings input[type=file]", saved["mp3"])
    _wait(page, "() => document.querySelector('#speech-text textarea').value === 'Bring me back, please.'")
    _wait(page, "() => document.querySelector('#speech-seed input').value === '4242'", 20)
    _wait(page, "() => document.querySelector('#speech-model input').value.includes('Debug quick')", 20)
    _wait(page, "() => document.querySelector('#speech-settings-note').innerText.includes('Settings restored')", 20)


def test_two_people_are_served_beside_each_other_and_each_stops_their_own(
    chromium: Any, address: str, page: Any
) -> None:
    others = open_page(chromium, address)
    other = next(others)
    for each in (other, page):
        _type(each, LONG)
        each.click("#speech-generate")
        _wait(each, f"() => {STATUS}.includes('Speaking')")
    page.click("#speech-stop")
    _wait(page, f"() => {STATUS}.includes('stopped early')", timeout_s=30)
    page.wait_for_selector("#speech-generate:enabled")
    assert "Speaking" in other.evaluate(f"() => {STATUS}")
    other.click("#speech-stop")
    _wait(other, f"() => {STATUS}.includes('stopped early')", timeout_s=30)
    next(others, None)


def test_an_example_runs_the_dice_rolls_and_failures_are_sentences(page: Any) -> None:
    page.click(".example-chip >> nth=3")
    _wait(page, FINISHED)
    assert page.input_value("#speech-text textarea").startswith("The tide goes out")
    assert page.input_value("#speech-speed input[type=number]") == "0.8"

    open_more_settings(page)
    before = page.input_value("#speech-seed input")
    page.click("#speech-dice")
    _wait(page, f"() => document.querySelector('#speech-seed input').value !== {before!r}")

    for model, text, sentence in (("Debug quick", "  ", "empty"), ("Debug broken", "Hi.", "damaged")):
        _type(page, text, model)
        page.click("#speech-generate")
        _wait(page, f"() => document.querySelector('#speech-status [role=alert]')?.innerText.includes({sentence!r})")
        page.wait_for_selector("#speech-generate:enabled")


def test_no_page_scrolls_sideways(page: Any) -> None:
    _type(page, SHORT, "Debug quick")
    page.click("#speech-generate")
    _wait(page, FINISHED)
    for width in (1440, 768, 390):
        page.set_viewport_size({"width": width, "height": 844})
        settle(page)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        parts = ["#speech-stop", "#speech-generate", "#speech-alignment", "#speech-text"]
        right = "(all) => Math.max(...all.map(each => document.querySelector(each).getBoundingClientRect().right))"
        assert page.evaluate(right, parts) <= width


def test_dark_and_light(chromium: Any, address: str) -> None:
    pages = open_page(chromium, address, color_scheme="dark")
    page = next(pages)
    lightness = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    assert max(page.evaluate(lightness)) < 60
    page.click("#theme-switch")
    assert min(page.evaluate(lightness)) > 200
    page.reload()
    page.wait_for_selector("#speech-text textarea")
    _wait(page, "() => !document.body.classList.contains('dark')")
    next(pages, None)

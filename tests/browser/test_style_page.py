"""A person at the Style Transfer tab: uploads, restyles, plays side by side, moves the slider, downloads."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.hub.formats import SPEECHT5_VOCODER
from models.media.clip_info import probe
from tests.browser.conftest import download, open_tab, pick, put_on_shelf, settle
from tests.browser.reach import list_problems, prepare
from tests.hub_server import HubServer
from tests.studio.style.test_actions import make_clip
from tests.tiny_models import tiny
from training.style_picture.patterns import draw_pattern

PLAYERS = "[...document.querySelectorAll('#style-original video, #style-result video')]"

TAKES = "[...document.querySelectorAll('.takes audio')]"


def _status(half: str) -> str:
    return f"document.querySelector('#style-{half}-status').innerText"


def let_go_at(page: Any, half: str, key: str) -> None:
    """Move the strength slider by a key, and let go of it."""
    slider = f"#style-{half}-strength input[type=range]"
    page.focus(slider)
    page.keyboard.press(key)
    page.evaluate(f"() => document.querySelector('{slider}').dispatchEvent(new PointerEvent('pointerup', "
                  "{bubbles: true}))")  # fmt: skip


@pytest.fixture
def style_page(page: Any) -> Any:
    open_tab(page, "Style Transfer")
    return page


def test_a_clip_from_upload_to_download(style_page: Any, tmp_path: Path) -> None:
    page = style_page
    page.set_input_files("#style-video-content input[type=file]", make_clip(tmp_path / "in.mp4", "-c:a", "aac"))
    page.wait_for_selector("#style-video-content >> text=in.mp4")
    page.click("#style-video-make")
    page.wait_for_function(f"() => {_status('video')}.includes('10 frames painted')")
    page.wait_for_function(f"() => {PLAYERS}.length === 2 && {PLAYERS}.every(each => each.readyState >= 2)")
    page.evaluate(f"() => {{ {PLAYERS}[1].currentTime = 0.5; }}")
    page.wait_for_function(f"() => Math.abs({PLAYERS}[0].currentTime - 0.5) < 0.1")
    page.wait_for_timeout(300)
    page.evaluate(f"() => {{ {PLAYERS}[0].play(); }}")
    page.wait_for_function(f"() => {PLAYERS}[1].currentTime > 0.6 && {PLAYERS}[0].muted")
    page.wait_for_selector("#style-slider img")
    assert page.locator("#style-video-plot polyline").count() == 6
    prepare(page)
    assert list_problems(page, "Style with a clip") == []
    made = probe(download(page, "#style-video-file", tmp_path))
    assert made.frames == 10 and made.sound == "aac"
    let_go_at(page, "video", "Home")
    page.wait_for_function(f"() => {_status('video')}.includes('strength 0')&& !{_status('video')}.includes('0.8')")


def test_a_picture_at_its_own_size_with_two_styles_behind_a_person(style_page: Any, tmp_path: Path) -> None:
    page = style_page
    Image.fromarray(draw_pattern("wash", 1, 96)).resize((1920, 1080)).save(tmp_path / "large.png")
    page.set_input_files("#style-video-content input[type=file]", tmp_path / "large.png")
    page.wait_for_selector("#style-video-content >> text=large.png", timeout=30_000)
    page.click("#style-video-mix > button")
    pick(page, "#style-video-second_style", "Glass pieces")
    page.fill("#style-video-second_share input[type=number]", "0.8")
    page.press("#style-video-second_share input[type=number]", "Tab")
    page.click("#style-video-part >> text=The background only")
    page.click("#style-video-make")
    page.wait_for_selector("#style-slider img")
    page.wait_for_function(f"() => {_status('video')}.includes('Picture painted')")
    page.wait_for_selector(".result >> text=Nobody was found")
    made = Image.open(download(page, "#style-video-file", tmp_path))
    assert made.size == (1920, 1080)


def test_a_sound_from_upload_to_download(style_page: Any, tmp_path: Path) -> None:
    page = style_page
    page.get_by_role("tab", name="Audio").click()
    settle(page)
    page.set_input_files("#style-audio-content input[type=file]", _write_tone(tmp_path / "in.wav"))
    page.wait_for_timeout(1000)
    page.click("#style-audio-make")
    page.wait_for_function(f"() => {_status('audio')}.includes('1.0 s of sound')")
    page.wait_for_function(f"() => {TAKES}.length === 2 && {TAKES}.every(each => each.readyState >= 2)")
    assert page.evaluate(f"() => {TAKES}.map(each => each.duration)") == pytest.approx([1.0, 1.0], abs=0.05)
    page.evaluate(f"() => {{ {TAKES}[0].currentTime = 0.4; }}")
    page.wait_for_function(f"() => Math.abs({TAKES}[1].currentTime - 0.4) < 0.05")
    page.wait_for_timeout(300)
    page.evaluate(f"() => {{ {TAKES}.forEach(each => {{ each.playbackRate = 0.25; }}); {TAKES}[1].play(); }}")
    page.wait_for_function(f"() => {TAKES}[0].currentTime > 0.45 && {TAKES}[0].muted && !{TAKES}[1].muted")
    page.click(".takes .switch")
    assert page.evaluate(f"() => {TAKES}.map(each => each.muted)") == [False, True]
    page.evaluate(f"() => {TAKES}[0].pause()")
    page.wait_for_function(f"() => {TAKES}[1].paused")
    assert page.locator("#style-audio-plot polyline").count() == 3
    prepare(page)
    assert list_problems(page, "Style with a sound") == []
    with wave.open(str(download(page, "#style-audio-file", tmp_path))) as made:
        assert made.getnframes() == 22_050
    before = page.evaluate(f"() => {TAKES}[1].src")
    let_go_at(page, "audio", "Home")
    page.wait_for_function(f"() => {_status('audio')}.includes('strength 0') && !{_status('audio')}.includes('0.8')")
    page.wait_for_function(f"was => {TAKES}[1].src !== was && {TAKES}[1].readyState >= 2", arg=before)


def _write_tone(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 22_050, 0, "NONE", ""))
        file.writeframes((6000 * np.sin(np.arange(22_050) / 9)).astype(np.int16).tobytes())
    return path


def test_hub_models_restyle_a_sound_by_voice_and_by_words(page: Any, hub: HubServer, tmp_path: Path) -> None:
    hub.add_repo(SPEECHT5_VOCODER.repo_id, tiny("speecht5-vocoder"), tags=(SPEECHT5_VOCODER.revision,))
    put_on_shelf(page, hub, "converter", "speecht5-vc")
    hub.add_repo("facebook/musicgen-melody", tiny("musicgen-melody"))
    open_tab(page, "Style Transfer")
    page.get_by_role("tab", name="Audio").click()
    settle(page)
    with page.expect_response(lambda answer: "upload" in answer.url):
        page.set_input_files("#style-audio-content input[type=file]", _write_tone(tmp_path / "in.wav"))
    page.click("#style-audio-get-1")
    page.wait_for_function(f"() => {_status('audio')}.includes('musicgen-stereo-melody is not on the Hub')")
    page.click("#style-audio-get-0")
    page.wait_for_function(f"() => {_status('audio')}.includes('is on the shelf of Style of sound')")
    page.wait_for_selector("#style-audio-words textarea:visible, #style-audio-words input:visible")
    assert page.locator("#style-audio-style:visible, #style-audio-own:visible").count() == 0
    assert "to download first" in page.inner_text("#style-audio-model-line")
    page.click("#style-audio-make")
    page.wait_for_function(f"() => {_status('audio')}.includes('takes the style in words')")
    page.fill("#style-audio-words textarea, #style-audio-words input", "slow dark music")
    hub.gate.clear()
    try:
        page.click("#style-audio-make:enabled")
        page.wait_for_function(f"() => {_status('audio')}.includes('Downloading')")
        page.wait_for_selector("#style-audio-status .bar")
    finally:
        hub.gate.set()
    page.wait_for_function(f"() => {_status('audio')}.includes('1.0 s of sound')")
    page.wait_for_selector("#style-audio-make:enabled")
    assert "Loaded and ready" in page.inner_text("#style-audio-model-line")
    with wave.open(str(download(page, "#style-audio-file", tmp_path))) as made:
        assert (made.getnframes(), made.getframerate()) == (3_200, 3_200)

    pick(page, "#style-audio-model", "tiny/converter")
    page.wait_for_selector("#style-audio-style:visible")
    assert page.locator("#style-audio-words:visible").count() == 0
    assert page.input_value("#style-audio-style input") == "The model's first voice"
    page.click("#style-audio-make")
    page.wait_for_function(
        "() => document.querySelector('#style-audio-style input').value === 'A voice drawn by the seed'"
    )
    page.wait_for_selector("#style-audio-make:enabled")
    assert "of sound" in page.inner_text("#style-audio-status")
    pick(page, "#style-audio-model", "Debug audio style")
    page.wait_for_selector("#style-audio-own:visible")

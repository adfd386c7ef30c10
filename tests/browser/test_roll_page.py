"""A person at the piano roll: bars varied, notes dragged, a desk, undo, a loop, versions, stems; also by touch."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import soundfile

from models.music.midi_io import read_piece, to_mido
from models.music.score import Bar, InstrumentTrack, Note, Piece
from studio.io.recipes import read_recipe
from tests.browser.conftest import FLAGS, download, open_page, open_tab, settle
from tests.models.music.test_transcription import RATE, TUNE, hum

STATUS = "document.querySelector('#music-status').innerText"
WIDE, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}
BARS = 4


def a_piece() -> Piece:
    melody = [Note(24 * beat, 60 + (5 * beat) % 12, 24, 20) for beat in range(4 * BARS)]
    bass = [Note(96 * bar, 40 + bar, 96, 18) for bar in range(BARS)]
    tracks = (InstrumentTrack.from_notes(73, False, melody), InstrumentTrack.from_notes(32, False, bass))
    return Piece((Bar(),) * BARS, tracks)


def open_piece(page: Any, folder: Path) -> None:
    """Play a MIDI file in, so that its notes are known."""
    path = folder / "tune.mid"
    to_mido(a_piece()).save(path)
    open_tab(page, "Music")
    page.wait_for_selector("#music-compose")
    settle(page)
    page.set_input_files("#music-upload input[type=file]", path)
    page.wait_for_selector("#music-upload .file-preview, #music-upload table")
    page.click("#music-perform")
    finish(page)


def finish(page: Any, said: str = "of music") -> None:
    """Wait until the work has ended and the roll can be used."""
    page.wait_for_function(f"() => {STATUS}.includes({said!r}) && document.querySelector('#music-roll [data-piece]')")
    page.wait_for_selector("#music-stop:disabled")
    page.wait_for_function("() => document.querySelector('#music-sound a[href]')")
    page.locator("#music-roll").scroll_into_view_if_needed()


def answered(page: Any, serial: int) -> None:
    """Wait until the roll shows a message's effect, and its files are there."""
    page.wait_for_function(f"() => auralumeRoll.read()?.serial === {serial}")
    page.wait_for_selector("#music-midi:enabled")
    page.wait_for_function("() => document.querySelector('#music-sound a[href]')")


def spot(page: Any, position: float, pitch: float, dy: float = 0.5) -> tuple[float, float]:
    """Return where a grid position and a pitch are on the screen."""
    x, y = page.evaluate(
        """([position, pitch, dy]) => {
          const piece = auralumeRoll.read(), box = document.querySelector('#music-roll .ink').getBoundingClientRect();
          return [box.left + box.width * position / piece.end[0],
                  box.top + box.height * (piece.rows.high - pitch + dy) / piece.rows.count];
        }""",
        [position, pitch, dy],
    )
    return x, y


def drag(page: Any, begin: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*begin)
    page.mouse.down()
    page.mouse.move(*end, steps=4)
    page.mouse.up()


def melody(folder: Path, page: Any) -> list[tuple[int, int]]:
    piece = read_piece(download(page, "#music-midi", folder))
    return [(note.start, note.pitch) for note in piece.tracks[0].notes]


@pytest.fixture
def page(chromium: Any, address: str) -> Iterator[Any]:
    yield from open_page(chromium, address, viewport=WIDE)


def test_bars_are_chosen_varied_looped_and_offered_in_four_versions(page: Any, tmp_path: Path) -> None:
    open_piece(page, tmp_path)
    before = melody(tmp_path, page)
    drag(page, spot(page, 110, 66), spot(page, 250, 64))
    assert page.inner_text('#music-roll [data-chosen="bars"] b') == "Bars 2–3"
    assert page.input_value("#music-first input") == "2" and page.input_value("#music-last input") == "3"
    page.click('#music-roll [data-roll="vary"]')
    page.wait_for_selector("#music-stop:enabled")
    finish(page)
    varied = melody(tmp_path, page)
    assert [start for start, _ in varied] == [start for start, _ in before] and varied != before
    assert (varied[:4], varied[12:]) == (before[:4], before[12:])

    page.click('#music-roll [data-roll="loop"]')
    page.click('#music-roll [data-roll="play"]')
    page.wait_for_function("() => auralumeRoll.state.source && auralumeRoll.now() > 2.1")
    page.click('#music-roll [data-roll="versions"]')
    page.wait_for_selector("#music-stop:enabled")
    page.wait_for_timeout(2500)  # longer than from the end of the loop to the end of the piece
    assert page.evaluate("() => Boolean(auralumeRoll.state.source) && auralumeRoll.now() < 6.1")  # it plays on
    finish(page)
    assert page.locator("#music-idea-list .roll.small").count() == 4
    page.click("#music-take-2")
    page.wait_for_function(f"() => {STATUS}.includes('Version 2')")
    marked = "(n) => getComputedStyle(document.querySelector(`#music-card-${n}`)).boxShadow !== 'none'"
    assert [page.evaluate(marked, each) for each in (1, 2, 3, 4)] == [False, True, False, False]
    page.click('#music-roll [data-roll="play"]')
    assert not page.evaluate("() => Boolean(auralumeRoll.state.source)")

    page.click('#music-roll [data-roll="continue"]')
    page.wait_for_selector("#music-stop:enabled")
    finish(page)
    after = melody(tmp_path, page)
    assert [each for each in after if each[0] < 96] == before[:4]
    bars = page.evaluate("() => auralumeRoll.read().bars.length - 1")
    assert bars == 3 + int(page.input_value("#music-bars input[type=number]"))


def test_notes_are_dragged_mixed_undone_and_split_into_stems(page: Any, tmp_path: Path) -> None:
    open_piece(page, tmp_path)
    page.click('#music-roll [data-roll="notes"]')
    drag(page, spot(page, 36, 65), spot(page, 48, 67))
    answered(page, 1)
    assert (36, 67) in melody(tmp_path, page) and (24, 65) not in melody(tmp_path, page)
    assert page.inner_text('#music-roll [data-chosen="note"] b') == "G4"
    page.locator("#music-roll .ink").press("ArrowUp")
    answered(page, 2)
    assert (36, 68) in melody(tmp_path, page)
    page.locator("#music-roll .ink").press("Delete")
    answered(page, 3)
    assert len(melody(tmp_path, page)) == 4 * BARS - 1
    for serial in (4, 5, 6):
        page.locator("#music-roll .ink").press("Control+z")
        answered(page, serial)
    assert (24, 65) in melody(tmp_path, page)
    for _ in range(2):
        page.mouse.click(*spot(page, 6, 70))
    answered(page, 7)
    assert (6, 70) in melody(tmp_path, page)

    page.click('#music-roll .strip[data-track="1"] [data-desk="mute"]')
    answered(page, 8)
    assert page.locator("#music-roll .strip.silent").get_attribute("data-track") == "1"
    assert page.evaluate("() => document.activeElement.dataset.desk") == "mute"
    page.select_option('#music-roll .strip[data-track="0"] select', "40")
    answered(page, 9)
    recipe = read_recipe(download(page, "#music-wav", tmp_path))
    assert recipe.settings["mix"] == "0dB, 0dB mute" and recipe.settings["edited"] is True
    assert read_piece(download(page, "#music-midi", tmp_path)).tracks[0].program == 40
    page.click("#music-split")
    page.wait_for_selector("#music-stems")
    with zipfile.ZipFile(download(page, "#music-stems", tmp_path)) as archive:
        assert archive.namelist() == ["1-violin.wav"]
    page.click("#music-engrave")
    page.wait_for_selector("#music-score")
    root = ET.parse(download(page, "#music-score", tmp_path)).getroot()
    assert [each.text for each in root.iter("part-name")] == ["Violin", "Acoustic bass"]


def test_a_phone_edits_by_touch(chromium: Any, address: str, tmp_path: Path) -> None:
    for page in open_page(chromium, address, viewport=PHONE, has_touch=True):
        open_piece(page, tmp_path)
        touch = page.context.new_cdp_session(page)

        def swipe(begin: tuple[float, float], end: tuple[float, float], touch: Any = touch) -> None:
            steps = [(begin[0] + (end[0] - begin[0]) * k / 4, begin[1] + (end[1] - begin[1]) * k / 4) for k in range(5)]
            for kind, point in [("touchStart", steps[0]), *(("touchMove", step) for step in steps[1:])]:
                points = [{"x": point[0], "y": point[1]}]
                touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

        page.locator("#music-roll .axis-x.bars").scroll_into_view_if_needed()
        box = page.locator("#music-roll .axis-x.bars").bounding_box()
        y, wide = box["y"] + 15, box["width"]
        swipe((box["x"] + wide * 0.3, y), (box["x"] + wide * 0.9, y))
        assert page.inner_text('#music-roll [data-chosen="bars"] b') == "Bars 2–4"
        page.click('#music-roll [data-roll="closer"]')
        page.click('#music-roll [data-roll="back"]')
        page.click('#music-roll [data-roll="notes"]')
        page.locator("#music-roll .ink").scroll_into_view_if_needed()
        swipe(spot(page, 36, 65), spot(page, 60, 67))
        answered(page, 1)
        assert (48, 67) in melody(tmp_path, page)
        page.locator('#music-roll .strip[data-track="1"] [data-desk="solo"]').tap()
        answered(page, 2)
        assert page.locator("#music-roll .strip.silent").get_attribute("data-track") == "0"
        assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_hummed_melody_is_written_down_and_harmonised(chromium: Any, address: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hum.wav", np.concatenate([hum(TUNE[:7]), np.zeros(RATE, np.float32)]), RATE)
    hears = [*FLAGS, f"--use-file-for-fake-audio-capture={tmp_path / 'hum.wav'}%noloop"]
    browser = chromium.browser_type.launch(
        executable_path=shutil.which("chromium") or shutil.which("google-chrome"), args=hears
    )
    for page in open_page(browser, address, viewport=WIDE, permissions=["microphone"]):
        open_tab(page, "Music")
        page.wait_for_selector("#music-compose")
        settle(page)
        page.click("#music-melody .record-button")
        page.wait_for_timeout(6500)
        page.click("#music-melody .stop-button")
        page.wait_for_function("() => !document.querySelector('#music-melody .stop-button')?.offsetParent")
        page.wait_for_timeout(1000)  # the recording is sent
        page.click("#music-listen")
        finish(page)
        heard = page.evaluate("() => auralumeRoll.read().notes")
        assert [pitch for *_, pitch in heard][:5] == [60, 62, 64, 65, 67]
        page.click("#music-harmonise")
        page.wait_for_selector("#music-stop:enabled")
        finish(page)
        assert page.evaluate("() => auralumeRoll.read().drums.length") >= 3
    browser.close()

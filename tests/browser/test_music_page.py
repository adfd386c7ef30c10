"""A person at the Music tab: composes, hears, sees the roll grow, continues a file, rewrites bars, downloads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import pretty_midi
import pytest

from models.music.midi_io import to_mido
from models.music.score import Bar, InstrumentTrack, Note, Piece
from tests.browser.conftest import download, open_more_settings, open_page, open_tab, settle

STATUS = "document.querySelector('#music-status').innerText"
SOUND_S = "(document.querySelector('#music-player audio')?.currentTime ?? 0)"
NOTES = "(document.querySelector('#music-roll .roll-picture')?.getAttribute('aria-label') ?? '')"
FINISHED = f"() => {STATUS}.includes('of music')"


@pytest.fixture
def music_page(chromium: Any, address: str) -> Iterator[Any]:
    for page in open_page(chromium, address):
        open_tab(page, "Music")
        page.wait_for_selector("#music-compose")
        settle(page)
        yield page


def _choose(page: Any, model: str) -> None:
    page.locator("#music-model").scroll_into_view_if_needed()
    page.click("#music-model input")
    page.get_by_role("option", name=model).click()


def _settings(page: Any, bars: int) -> None:
    page.fill("#music-bars input[type=number]", str(bars))
    page.keyboard.press("Tab")


def test_compose_hear_see_rewrite_and_download(music_page: Any, tmp_path: Path) -> None:
    page = music_page
    open_more_settings(page)
    _choose(page, "Debug music slow")
    _settings(page, 6)
    page.click("#music-compose")
    page.wait_for_function(f"() => {SOUND_S} > 0.2 && {STATUS}.includes('Composing')")
    early = page.evaluate(f"() => {NOTES}")
    page.wait_for_function(f"() => {NOTES} !== {early!r}")  # the roll grows
    page.wait_for_function(FINISHED)
    assert "6 bars" in page.evaluate(f"() => {STATUS}")
    midi = download(page, "#music-midi", tmp_path)
    song = pretty_midi.PrettyMIDI(str(midi))
    assert song.get_tempo_changes()[1][0] == pytest.approx(100, rel=1e-4)
    assert {(i.program, i.is_drum) for i in song.instruments} <= {(0, False), (33, False), (0, True)}
    assert mido.MidiFile(midi).length > 5
    assert download(page, "#music-wav", tmp_path).read_bytes()[:4] == b"RIFF"

    page.fill("#music-first input", "2")
    page.fill("#music-last input", "3")
    page.wait_for_selector("#music-rewrite:enabled")
    page.click("#music-rewrite")
    page.wait_for_function(f"() => {STATUS}.includes('Writing bars anew') || {STATUS}.includes('ready')")
    page.wait_for_function(FINISHED)
    page.wait_for_selector("#music-compose:enabled")
    again = pretty_midi.PrettyMIDI(str(download(page, "#music-midi", tmp_path)))
    bar_s = 4 * 60 / 100

    def outside(midi_song: pretty_midi.PrettyMIDI) -> list[tuple[int, int, int]]:
        notes = [(i.program, n.pitch, round(n.start * 1000)) for i in midi_song.instruments for n in i.notes]
        return sorted(n for n in notes if not bar_s <= n[2] / 1000 + 0.005 < 3 * bar_s)

    assert outside(again) == outside(song)

    page.reload()
    open_tab(page, "Music")
    open_more_settings(page)
    page.set_input_files("#music-settings input[type=file]", midi)
    page.wait_for_function("() => document.querySelector('#music-bars input[type=number]').value === '6'")


def test_an_uploaded_file_is_continued_and_stop_ends_the_work(music_page: Any, tmp_path: Path) -> None:
    page = music_page
    notes = [Note(24 * i, 60 + (i * 5) % 12, 24, 20) for i in range(16)]
    path = tmp_path / "mine.mid"
    to_mido(Piece((Bar(),) * 4, (InstrumentTrack.from_notes(73, False, notes),))).save(path)
    page.set_input_files("#music-upload input[type=file]", path)
    page.wait_for_selector("#music-upload .file-preview, #music-upload table")
    _settings(page, 4)
    page.click("#music-continue")
    page.wait_for_function(FINISHED)
    assert "8 bars" in page.evaluate(f"() => {STATUS}")

    open_more_settings(page)
    _choose(page, "Debug music slow")
    _settings(page, 64)
    page.click("#music-compose")
    page.wait_for_function(f"() => {SOUND_S} > 0.2 && {STATUS}.includes('Composing')")
    page.click("#music-stop")
    page.wait_for_selector("#music-compose:enabled")
    assert "Stopped" in page.evaluate(f"() => {STATUS}")

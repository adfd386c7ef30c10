"""Call and response: a phrase on the grid, its answer, and where that begins."""

from __future__ import annotations

import pytest

from models.live.bar_generator import BarGenerator
from models.live.controls import LiveControls
from models.live.phrase import (
    MAX_PHRASE_NOTES,
    PAUSE_S,
    Phrase,
    PlayedNote,
    measure_grid_s,
    place_on_grid,
    schedule_answer,
    snap_to_grid,
    write_answer,
)
from models.music.piece_builder import WrittenNote


def a_phrase() -> Phrase:
    phrase = Phrase()
    for index, pitch in enumerate((60, 62, 64)):
        phrase.press(pitch, 90, 0.5 * index)
        phrase.release(pitch, 0.5 * index + 0.4, now=float(index))
    return phrase


def test_a_phrase_becomes_a_piece_that_ends_at_a_bar_line() -> None:
    phrase = a_phrase()
    assert not phrase.is_open
    controls = LiveControls(tempo=120.0)
    piece, bars = place_on_grid(phrase.notes, controls, 11)
    assert bars == 1
    assert [(note.start, note.pitch) for note in piece.tracks[0].notes] == [(24, 60), (48, 62), (72, 64)]
    assert phrase.take()
    assert not phrase.notes
    phrase.press(60, 90, 1.0)
    assert phrase.is_open
    assert phrase.release(61, 1.1, 0.0) is None


def test_the_same_phrase_gets_the_same_answer_of_its_length(bar_generator: BarGenerator) -> None:
    notes, controls = a_phrase().notes, LiveControls(tempo=120.0)
    first, second = (write_answer(bar_generator, notes, controls, 11, seed=3, number=0) for _ in range(2))
    assert first == second
    assert first
    assert min(note.start for note in first) < 24
    assert max(note.start for note in first) < controls.bar.positions
    assert write_answer(bar_generator, notes, controls, 11, seed=3, number=1) != first


@pytest.mark.parametrize("tempo", [50.0, 90.0, 120.0, 180.0])
def test_an_answer_begins_on_the_grid_soon(bar_generator: BarGenerator, tempo: float) -> None:
    controls = LiveControls(tempo=tempo)
    step_s = measure_grid_s(controls)
    assert step_s <= 0.31
    from models.live.music_stream import BarMark

    mark = BarMark(3, 10.0, 10.0 + controls.bar_s, controls, False)
    start_s = snap_to_grid(mark, 10.4)
    assert 10.4 <= start_s + 1e-9 <= 10.4 + step_s + 1e-9
    assert PAUSE_S + step_s < 0.6
    places = (start_s - mark.start_s) / step_s
    assert places == pytest.approx(round(places))
    assert snap_to_grid(mark, start_s) == pytest.approx(start_s)  # what is on the grid stays
    assert snap_to_grid(mark, 9.9) <= 10.0 + 1e-9


@pytest.mark.parametrize(("tempo", "part"), [(50.0, 4), (75.0, 4), (149.0, 4), (151.0, 2), (180.0, 2)])
def test_the_grid_is_of_eighths_where_they_are_short_enough_else_of_sixteenths(tempo: float, part: int) -> None:
    assert measure_grid_s(LiveControls(tempo=tempo)) == pytest.approx(60 / tempo / part)


def test_a_key_that_is_pressed_again_is_let_go_before_and_every_key_is_a_revision() -> None:
    phrase = Phrase()
    phrase.press(60, 90, 1.0)
    assert phrase.revision == 1 and phrase.is_open
    phrase.press(60, 80, 1.5)
    assert phrase.revision == 3 and [(note.start_s, note.end_s) for note in phrase.notes] == [(1.0, 1.5), (1.5, None)]
    released = phrase.release(60, 1.51, now=7.0)
    assert released is phrase.notes[1] and released.end_s == pytest.approx(1.53)  # no note is shorter
    assert phrase.revision == 4 and phrase.released_at == 7.0 and not phrase.is_open
    assert phrase.release(60, 2.0, now=8.0) is None and phrase.revision == 4 and phrase.released_at == 7.0
    notes = phrase.take()
    assert len(notes) == 2 and not phrase.notes and phrase.revision == 5


def test_of_a_phrase_too_long_the_oldest_notes_are_forgotten() -> None:
    phrase = Phrase()
    for index in range(MAX_PHRASE_NOTES + 3):
        phrase.press(40 + index % 40, 90, float(index))
        phrase.release(40 + index % 40, index + 0.5, float(index))
    assert len(phrase.notes) == MAX_PHRASE_NOTES and phrase.notes[0].start_s == 3.0


def test_a_phrase_keeps_lengths_and_velocities_and_ends_with_a_long_last_note() -> None:
    """Half a second a quarter: 24 places of the grid, a bar of 96."""
    controls = LiveControls(tempo=120.0)
    notes = [PlayedNote(60, 90, 3.0, 3.25), PlayedNote(64, 40, 3.5, None), PlayedNote(67, 127, 4.0, 6.0)]
    piece, bars = place_on_grid(notes, controls, 11)
    made = [(note.start, note.pitch, note.duration) for note in piece.tracks[0].notes]
    assert bars == 1 and made == [(0, 60, 12), (24, 64, 6), (48, 67, 48)]
    loudness = [note.velocity for note in piece.tracks[0].notes]
    assert loudness[1] < loudness[0] < loudness[2]
    assert piece.tracks[0].program == 11 and not piece.tracks[0].is_drum and len(piece.bars) == 1
    longer = [*notes, PlayedNote(72, 90, 5.5, 5.6)]  # a quarter beyond the bar: two bars, and nothing before the end
    piece, bars = place_on_grid(longer, controls, 11)
    assert bars == 2 and [note.start for note in piece.tracks[0].notes] == [48, 72, 96, 168]


def test_an_answer_becomes_notes_of_the_stream() -> None:
    controls = LiveControls(tempo=120.0)
    written = [WrittenNote(0, 60, 24, 5, 0, 1.0), WrittenNote(48, 67, 12, 20, 0, 1.0)]
    first, second = schedule_answer(written, controls, 11, start_s=10.0)
    assert (first.start_s, first.length_s, first.pitch, first.program) == pytest.approx((10.0, 0.5, 60, 11))
    assert (second.start_s, second.length_s, second.pitch) == pytest.approx((11.0, 0.25, 67))
    assert 0 < first.velocity < second.velocity <= 127

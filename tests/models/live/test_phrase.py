"""Call and response: a phrase on the grid, its answer, and where that begins."""

from __future__ import annotations

import pytest

from models.live.bar_generator import BarGenerator
from models.live.controls import LiveControls
from models.live.phrase import PAUSE_S, Phrase, measure_grid_s, place_on_grid, snap_to_grid, write_answer


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

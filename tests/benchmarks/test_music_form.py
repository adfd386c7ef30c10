"""The figures of form: what repeats, returns and ends is counted for what it is."""

from __future__ import annotations

import pytest

from benchmarks.music_form import measure_form, summarise
from models.music.score import Bar, InstrumentTrack, Note, Piece

ONE, TWO, THREE, FOUR = (72, 74, 76, 77), (79, 81, 83, 84), (65, 64, 62, 60), (67, 69, 71, 72)


def a_piece(*bars: tuple[int, ...], bass: int = 48) -> Piece:
    lead = [Note(96 * at + 24 * i, pitch, 24, 20) for at, bar in enumerate(bars) for i, pitch in enumerate(bar)]
    low = [Note(96 * at, bass, 96, 20) for at in range(len(bars))]
    tracks = (InstrumentTrack.from_notes(73, False, lead), InstrumentTrack.from_notes(32, False, low))
    return Piece((Bar(),) * len(bars), tracks)


def test_a_phrase_that_returns_is_likeness_four_bars_apart() -> None:
    figures = measure_form(a_piece(ONE, TWO, THREE, FOUR, ONE, TWO, THREE, FOUR), key=0)
    assert (figures.likeness, figures.near, figures.odd) == (1.0, 1.0, 0.0)
    assert figures.repeats == pytest.approx(4 / 7)
    assert figures.ends == 1.0 and figures.last == pytest.approx(1.0)


def test_a_bar_that_is_half_the_same_is_no_repeat() -> None:
    half = (72, 74, 60, 60)
    figures = measure_form(a_piece(ONE, TWO, THREE, FOUR, half), key=2)
    assert figures.repeats == 0.0 and figures.likeness == pytest.approx(0.5)
    assert figures.ends == 0.0  # C is not the tonic of D major


def test_silence_of_the_lead_is_no_repeat_and_means_are_of_what_sounds() -> None:
    piece = a_piece((), (), ONE, (), (), ONE)
    figures = dict(summarise([piece, piece], [0, 0], "_x"))
    assert figures["exact_repeats_x"] == 0.5 and figures["form_ratio_x"] == 0.0
    assert figures["bar_likeness_x"] == 1.0

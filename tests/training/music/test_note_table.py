"""The table of notes: what is in it, what comes back from its file, what a bar returns to."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.music.form import find_references, measure_likeness
from models.music.musical_context import NEW, SAME, VARIED
from models.music.score import Bar, InstrumentTrack, Note, Piece
from tests.models.music.strategies import pieces
from tests.training.music.made_up import make_table
from training.music.note_table import NoteTable


def repeat_bars(*bars: tuple[int, ...]) -> Piece:
    """Return a piece with a quarter note for each pitch of each bar."""
    notes = [Note(96 * at + 24 * i, pitch, 24, 20) for at, bar in enumerate(bars) for i, pitch in enumerate(bar)]
    return Piece((Bar(),) * len(bars), (InstrumentTrack.from_notes(0, False, notes),))


def test_a_bar_returns_to_the_bar_that_it_is_most_like() -> None:
    one, two, three = (60, 62, 64, 65), (70, 72, 74, 75), (40, 42, 44, 45)
    varied = (60, 62, 64, 50)
    distances, kinds = find_references(repeat_bars(one, two, three, varied, one, (), two))
    assert distances.tolist() == [0, 0, 0, 3, 4, 0, 5]
    assert kinds.tolist() == [NEW, NEW, NEW, VARIED, SAME, NEW, SAME]


def test_of_equal_bars_the_one_a_phrase_back_is_chosen() -> None:
    distances, _ = find_references(repeat_bars(*[(60, 62, 64, 65)] * 9))
    assert distances[8] == 8 and distances[4] == 4


@settings(max_examples=25, deadline=None)
@given(pieces(with_notes=True))
def test_likeness_is_symmetric_and_whole_on_the_diagonal(piece: Piece) -> None:
    likeness = measure_likeness(piece)
    np.testing.assert_allclose(likeness, likeness.T)
    np.testing.assert_allclose(np.diag(likeness), 1.0)
    assert likeness.min() >= 0 and likeness.max() <= 1 + 1e-6


def test_the_file_gives_back_the_table(tmp_path: Path) -> None:
    table = make_table()
    table.save(tmp_path / "a.xz")
    again = NoteTable.load(tmp_path / "a.xz")
    for field in fields(table):
        assert np.array_equal(getattr(table, field.name), getattr(again, field.name)), field.name
    assert len(table.start) == table.notes.sum() and len(table.meter) == table.bars.sum()


@given(st.lists(st.booleans(), min_size=8, max_size=8))
@settings(max_examples=20, deadline=None)
def test_a_selection_keeps_whole_pieces(flags: list[bool]) -> None:
    table, chosen = make_table(), np.array(flags)
    some = table.select(chosen)
    assert some.bars.tolist() == table.bars[chosen].tolist()
    assert len(some.start) == table.notes[chosen].sum() and len(some.meter) == table.bars[chosen].sum()
    if chosen[0]:
        assert some.pitch[: table.notes[0]].tolist() == table.pitch[: table.notes[0]].tolist()

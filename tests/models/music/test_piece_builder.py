"""A piece while it is written: parts that play one line."""

from __future__ import annotations

from models.music.piece_builder import PieceBuilder, WrittenNote
from models.music.score import Bar


def test_parts_that_play_one_line_end_each_note_where_the_next_begins() -> None:
    builder = PieceBuilder(tracks=[(0, False), (33, False), (73, False)])
    bar = Bar()
    quarter = bar.positions // 4
    held = 2 * bar.positions
    notes = [WrittenNote(at * quarter, 40 + at, held, 8, track) for at in (0, 2) for track in range(3)]
    builder.append(bar, notes)
    lengths = {(note.track, note.start // quarter): note.duration for note in builder.notes[0]}
    assert lengths[0, 0] == lengths[0, 2] == held  # a piano holds what it likes
    assert lengths[1, 0] == lengths[2, 0] == 2 * quarter
    assert lengths[1, 2] == 2 * quarter  # a bass leaves the next bar to what comes
    assert lengths[2, 2] == held

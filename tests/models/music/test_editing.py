"""Notes moved, added, resized and deleted by hand, other instruments, and bars joined to a piece."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.editing import (
    NoteName,
    add_note,
    change_instrument,
    delete_notes,
    find_note,
    join_bars,
    move_note,
    resize_note,
)
from models.music.score import Bar, InstrumentTrack, Note, Piece, TempoMap
from tests.models.music.strategies import pieces

BAR = 96


def a_piece() -> Piece:
    melody = [Note(24 * i, 60 + i, 24, 20 + i) for i in range(8)]
    kit = [Note(24 * i, 36, 6, 25) for i in range(8)]
    tracks = (InstrumentTrack.from_notes(73, False, melody), InstrumentTrack.from_notes(0, True, kit))
    return Piece((Bar(), Bar()), tracks, TempoMap((0.0,), (93.0,)), ("A remark.",))


def test_a_note_moves_in_time_and_pitch_and_nothing_else_does() -> None:
    piece = a_piece()
    moved = move_note(piece, NoteName(0, 24, 61), 12, -3)
    assert find_note(moved, NoteName(0, 36, 58)) == Note(36, 58, 24, 21)
    assert set(piece.tracks[0].notes) - set(moved.tracks[0].notes) == {Note(24, 61, 24, 21)}
    assert (moved.tracks[1], moved.bars, moved.tempo_map, moved.remarks) == (
        piece.tracks[1], piece.bars, piece.tempo_map, piece.remarks,
    )  # fmt: skip
    with pytest.raises(ValueError, match="not there any more"):
        move_note(moved, NoteName(0, 24, 61), 1, 0)


def test_a_note_stops_at_the_ends_of_the_piece_and_of_the_pitches() -> None:
    piece = a_piece()
    assert find_note(move_note(piece, NoteName(0, 0, 60), -50, -90), NoteName(0, 0, 0)).duration == 24
    assert find_note(move_note(piece, NoteName(0, 0, 60), 9999, 200), NoteName(0, 2 * BAR - 1, 127))


def test_a_note_moved_onto_another_takes_its_place() -> None:
    moved = move_note(a_piece(), NoteName(0, 0, 60), 24, 1)
    assert find_note(moved, NoteName(0, 24, 61)).velocity == 20
    assert len(moved.tracks[0].notes) == 7


def test_adding_resizing_and_deleting() -> None:
    piece = a_piece()
    more = add_note(piece, NoteName(0, 6, 72), 12)
    assert find_note(more, NoteName(0, 6, 72)) == Note(6, 72, 12, 24)  # as loud as the others: their mean is 23.5
    assert find_note(resize_note(more, NoteName(0, 6, 72), 40), NoteName(0, 6, 72)).duration == 40
    assert delete_notes(more, [NoteName(0, 6, 72)]) == piece
    assert delete_notes(piece, [NoteName(1, 24, 36), NoteName(0, 0, 60)]).note_count == 14
    for wrong in (NoteName(2, 0, 60), NoteName(0, 2 * BAR, 60), NoteName(0, 0, 128), NoteName(-1, 0, 60)):
        with pytest.raises(ValueError):
            add_note(piece, wrong, 6)


@given(pieces(), st.integers(-200, 200), st.integers(-40, 40), st.data())
def test_whatever_is_moved_the_piece_stays_one(
    piece: Piece, positions: int, semitones: int, data: st.DataObject
) -> None:
    names = [NoteName(t, n.start, n.pitch) for t, track in enumerate(piece.tracks) for n in track.notes]
    if not names:
        return
    name = data.draw(st.sampled_from(names))
    moved = move_note(piece, name, positions, semitones)
    assert moved.bars == piece.bars and moved.note_count in (piece.note_count, piece.note_count - 1)
    assert delete_notes(piece, [name]).note_count == piece.note_count - 1


def test_another_instrument_plays_the_same_notes() -> None:
    other = change_instrument(a_piece(), 0, 40)
    assert (other.tracks[0].program, other.tracks[0].notes) == (40, a_piece().tracks[0].notes)
    for track, program in ((1, 40), (2, 40), (0, 128)):
        with pytest.raises(ValueError):
            change_instrument(a_piece(), track, program)


@given(pieces())
def test_the_bars_of_a_piece_join_to_the_piece(piece: Piece) -> None:
    bars = [piece.slice(index, index + 1) for index in range(len(piece.bars))]
    if bars:
        assert join_bars(bars, piece.tempo_map) == piece


def test_what_does_not_belong_together_is_not_joined() -> None:
    with pytest.raises(ValueError, match="same tracks"):
        join_bars([a_piece(), change_instrument(a_piece(), 0, 1)])
    with pytest.raises(ValueError, match="no bars"):
        join_bars([])

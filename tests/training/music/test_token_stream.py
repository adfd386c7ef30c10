"""Arranging and tokenising all pieces at once: the tokens are the tokenizer's, the bands are bands."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.music.controls import measure_key
from models.music.musical_context import BAR_FEATURES, FEATURES
from models.music.score import MAX_TRACKS, InstrumentTrack, Piece
from models.music.tokenizer import decode_piece, encode_piece
from models.music.vocabulary import STYLES, VOCABULARY_SIZE
from tests.models.music.strategies import pieces
from tests.training.music.made_up import drummer, make_table, song
from training.music.arranging import BASS_TOP, BASSES, LOOP_BARS, NoteTensors, arrange, cut_loops
from training.music.note_table import NoteTable
from training.music.source import Source
from training.music.token_stream import TokenStream, encode_stream

CPU = torch.device("cpu")


def encode(table: NoteTable, seed: int | None) -> tuple[NoteTensors, TokenStream]:
    notes = NoteTensors(table, CPU)
    random = None if seed is None else torch.Generator().manual_seed(seed)
    return notes, encode_stream(notes, arrange(notes, cut_loops(table, CPU), random))


def list_pieces(notes: NoteTensors, stream: TokenStream) -> list[list[int]]:
    """List the tokens of each piece."""
    ends = [*stream.header.tolist()[1:], len(stream.tokens) - VOCABULARY_SIZE]
    return [stream.tokens[first:end].tolist() for first, end in zip(stream.header.tolist(), ends, strict=True)]


@pytest.mark.parametrize("seed", [None, *range(12)])
def test_the_tokens_are_those_of_the_tokenizer(seed: int | None) -> None:
    notes, stream = encode(make_table(), seed)
    for tokens, style in zip(list_pieces(notes, stream), notes.collection.tolist(), strict=True):
        assert encode_piece(decode_piece(tokens), STYLES[style]) == tokens


@settings(max_examples=30, deadline=None)
@given(st.lists(pieces(with_notes=True), min_size=1, max_size=3), st.none() | st.integers(0, 99))
def test_any_pieces_are_tokenised_as_the_tokenizer_does(some: list[Piece], seed: int | None) -> None:
    def keep(piece: Piece) -> Piece:
        """Keep at most four parts that sound, and one tempo."""
        parts = [track for track in piece.melodic if track.notes][:4]
        drums = [track for track in piece.tracks if track.is_drum and track.notes]
        bars = tuple(type(bar)(bar.meter, piece.bars[0].tempo) for bar in piece.bars)
        return Piece(bars, tuple(parts + drums))

    kept = [keep(piece) for piece in some]
    sources = [Source("other", "x", False, piece) for piece in kept if len(piece.bars) > 1 and piece.tracks]
    if not sources:
        return
    notes, stream = encode(NoteTable.from_sources(sources), seed)
    for tokens, source in zip(list_pieces(notes, stream), sources, strict=True):
        piece = decode_piece(tokens)
        assert encode_piece(piece, "other") == tokens
        assert piece.bars == source.piece.bars
        heard = {(note.start, note.pitch) for track in piece.tracks for note in track.notes}
        assert heard == {(note.start, note.pitch) for track in source.piece.tracks for note in track.notes}


def test_bands_have_basses_that_are_single_and_low_and_drums_that_play_to_the_end() -> None:
    basses = drummed = 0
    for seed in range(25):
        notes, stream = encode(make_table(), seed)
        piece = decode_piece(list_pieces(notes, stream)[0])
        for track in piece.melodic:
            if track.program in BASSES and len(piece.melodic) > 1:
                basses += 1
                assert all(note.pitch <= BASS_TOP for note in track.notes)
                assert len({note.start for note in track.notes}) == len(track.notes)
        if piece.tracks[-1].is_drum:
            drummed += 1
            assert piece.tracks[-1].notes[-1].start >= (len(piece.bars) - 1) * 96
        assert {note.pitch for track in piece.melodic for note in track.notes} <= {
            note.pitch for track in song().tracks for note in track.notes
        }
    assert basses > 5 and drummed > 5


def test_loops_are_on_sixteenths_and_swing_that_the_grid_would_spoil_is_left_out() -> None:
    def cut(late: int) -> int:
        table = NoteTable.from_sources([Source("drums", "x", False, drummer(LOOP_BARS + 1, late))])
        loops = cut_loops(table, CPU)
        assert (loops.place % 6 == 0).all()
        return loops.count

    assert (cut(1), cut(3)) == (1, 0)
    held_out = NoteTable.from_sources([Source("drums", "x", True, drummer(LOOP_BARS + 1))])
    assert cut_loops(held_out, CPU).count == 0


def test_the_plan_tells_what_each_bar_is() -> None:
    names = [name for name, _ in FEATURES][BAR_FEATURES]
    _, stream = encode(make_table(), None)
    plan = {name: stream.features[:12, index].tolist() for index, name in enumerate(names)}
    assert plan["phrase"] == list(range(12))
    assert plan["bars_to_go"] == list(range(11, -1, -1))
    assert plan["chord"] == [16] * 12  # E minor: E, E and B with a tune above
    assert plan["track_2_sounds"] == [1] * 12 and plan["track_3_sounds"] == [0] * 12
    assert set(plan[f"track_{MAX_TRACKS}_sounds"]) == {0}


@settings(max_examples=25, deadline=None)
@given(pieces(with_notes=True))
def test_keys_are_measured_as_the_controls_are(piece: Piece) -> None:
    from training.music.token_stream import measure_keys

    weights = torch.zeros(1, 12, dtype=torch.float64)
    for track in piece.melodic:
        for note in track.notes:
            weights[0, note.pitch % 12] += note.duration
    key = measure_key(piece)
    again = int(measure_keys(weights))
    assert again == key or np.ptp(weights.numpy()) < 1e-6


def test_a_note_that_is_struck_again_ends() -> None:
    from models.music.score import Bar, Note

    held = InstrumentTrack(0, False, (Note(0, 60, 96, 20), Note(24, 60, 12, 20)))
    source = Source("other", "x", False, Piece((Bar(), Bar()), (held,)))
    notes, stream = encode(NoteTable.from_sources([source]), None)
    assert [note.duration for note in decode_piece(list_pieces(notes, stream)[0]).tracks[0].notes] == [24, 12]

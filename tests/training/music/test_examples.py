"""Training examples: ensembles, drums that play along, controls that tell what follows, rows of one length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.music.controls import CONTROL_KINDS, measure_controls
from models.music.instrument_order import rank_role, sort_by_role
from models.music.score import Bar, InstrumentTrack, Note, Piece, merge_tracks
from models.music.tokenizer import decode_piece
from models.music.vocabulary import BOS, PAD, SEPARATOR, STYLES, VOCABULARY_SIZE
from tests.models.music.strategies import pieces
from training.music.corpus import COLLECTIONS, Corpus, Source, read_chorale
from training.music.ensemble import BASS_TOP, arrange, loop_drums, split_bass, transpose
from training.music.examples import Examples

BEAT = 24
few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def song(bars: int = 12, step: int = 12) -> Piece:
    """Melody, bridge and piano."""
    times = range(0, bars * 96, step)
    melody = InstrumentTrack.from_notes(0, False, (Note(t, 72 + t // step % 5, step, 20) for t in times))
    bridge = InstrumentTrack.from_notes(0, False, (Note(t, 67, step, 20) for t in list(times)[::4]))
    piano = InstrumentTrack.from_notes(0, False, (Note(t, pitch, step, 15) for t in times for pitch in (40, 52, 59)))
    return Piece((Bar(),) * bars, (melody, bridge, piano))


def drummer(bars: int = 4, late: int = 0) -> Piece:
    """Return a hat on every eighth, `late` positions behind."""
    hits = (Note(t + late, 42, 6, 20) for t in range(0, bars * 96, 12))
    return Piece((Bar(),) * bars, (InstrumentTrack.from_notes(0, True, hits),))


def corpus() -> Corpus:
    chorale = read_chorale([[72 + i // 4 % 5, 64, 55, 48] for i in range(200)])
    lied = Piece(song().bars, song().tracks[1:])
    by_name = {"pop": song(), "lieder": lied, "drums": drummer(12), "chorales": chorale}
    return Corpus.from_sources(
        Source(name, name, held, by_name[name]) for name in COLLECTIONS for held in (False, True)
    )


@few
@given(pieces(with_notes=True))
def test_a_bass_takes_the_lowest_notes_and_none_is_lost(piece: Piece) -> None:
    for track in piece.melodic:
        above, below = split_bass(track, 33)
        assert sorted((*above.notes, *below.notes)) == sorted(track.notes)
        assert all(note.pitch <= BASS_TOP for note in below.notes)
        assert len({note.start for note in below.notes}) == len(below.notes)
        assert below.program == 33


@few
@given(st.sampled_from(COLLECTIONS), seeds)
def test_an_ensemble_plays_notes_of_the_piece_in_the_order_of_roles(collection: str, seed: int) -> None:
    drums = loop_drums(drummer(), 0, song().positions)
    arranged = arrange(song(), collection, np.random.default_rng(seed), drums)
    heard = {(note.start, note.pitch) for track in song().tracks for note in track.notes}
    assert {(note.start, note.pitch) for track in arranged.melodic for note in track.notes} <= heard
    assert all(track.notes for track in arranged.tracks)
    if len(arranged.melodic) > 1 and collection == "pop" and rank_role(arranged.melodic[-1].program) == 3:
        assert arranged.melodic[-1].notes[0].pitch <= BASS_TOP


def test_a_drum_loop_fills_the_music_and_stays_on_the_sixteenths() -> None:
    track = loop_drums(drummer(late=1), 2, 10 * 96 + 50)
    assert track is not None and {note.start % 6 for note in track.notes} == {0}
    assert track.notes[-1].start == 10 * 96 + 48
    assert loop_drums(drummer(late=3), 0, 960) is None  # a swing that the grid would spoil


@few
@given(pieces(with_notes=True), st.integers(-12, 12))
def test_transposing_moves_melodic_notes_and_leaves_drums(piece: Piece, semitones: int) -> None:
    moved = transpose(piece, semitones, 0, 0)
    for before, after in zip(piece.tracks, moved.tracks, strict=True):
        inside = all(0 <= note.pitch + semitones < 128 for note in before.notes)
        if before.is_drum or inside:
            shift = 0 if before.is_drum else semitones
            assert [note.pitch for note in after.notes] == [note.pitch + shift for note in before.notes]


def test_programs_are_put_in_the_order_of_the_training() -> None:
    assert sort_by_role((33, 0, 73)) == (73, 0, 33)
    assert sort_by_role((48, 40, 43)) == (40, 48, 43)


def test_merging_keeps_every_onset() -> None:
    tracks = song().tracks
    assert {(n.start, n.pitch) for n in merge_tracks(tracks, 5).notes} == {
        (n.start, n.pitch) for t in tracks for n in t.notes
    }


@few
@given(st.sampled_from(COLLECTIONS), seeds)
def test_the_controls_of_an_example_tell_what_follows(collection: str, seed: int) -> None:
    examples = Examples(corpus(), 384)
    tokens = examples.draw_example(collection, np.random.default_rng(seed))
    assert len(tokens) <= 384 and all(0 <= token < VOCABULARY_SIZE for token in tokens)
    measured = measure_controls(decode_piece(tokens), STYLES[STYLES.index(collection)]).to_tokens()
    said = tokens[1 : 1 + len(CONTROL_KINDS)]
    assert tokens[0] == BOS.first
    assert all(token in (PAD.first, want) for token, want in zip(said, measured, strict=True))


def test_examples_of_all_kinds_come() -> None:
    examples, random = Examples(corpus(), 384), np.random.default_rng(0)
    drawn = [examples.draw_example("pop", random) for _ in range(60)]
    infillings = sum(SEPARATOR.first in tokens for tokens in drawn)
    assert 4 <= infillings <= 24
    assert any(PAD.first in tokens for tokens in drawn)


def test_rows_are_full_and_held_out_rows_always_the_same() -> None:
    rows = Examples(corpus(), 128).draw_rows(np.random.default_rng(0))
    assert next(rows).shape == next(rows).shape == (129,)
    testing = Examples(corpus(), 128, held_out=True, augment=False)
    assert np.array_equal(testing.list_held_out_rows("drums", 3), testing.list_held_out_rows("drums", 3))
    assert testing.by_collection["pop"] != Examples(corpus(), 128).by_collection["pop"]


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_held_out_excerpt_is_the_music_itself(collection: str) -> None:
    testing = Examples(corpus(), 256, held_out=True, augment=False)
    piece = decode_piece(testing.draw_example(collection, np.random.default_rng(1)))
    assert len(piece.tracks) == {"pop": 3, "lieder": 2, "drums": 1, "chorales": 4}[collection]

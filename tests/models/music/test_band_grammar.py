"""The band: instruments keep to what they can play, no asked part falls silent, pieces end on their tonic."""

from __future__ import annotations

import numpy as np
import pytest

from models.music.band_grammar import BandGrammar
from models.music.constraints import Constraints
from models.music.form import group_by_bar
from models.music.grammar import make_mask
from models.music.instrument_ranges import KIT, find_range, plays_one_line
from models.music.score import Piece
from models.music.tokenizer import decode_piece, encode_piece
from models.music.vocabulary import VOCABULARY_SIZE, name_token

BAND = (73, 0, 33)
CONTROLS = 7  # Bos and the controls, which random tokens do not keep to


def play(seed: int, **constraints: object) -> tuple[list[int], Piece]:
    """Return tokens of random logits under the grammar, and what they decode to."""
    asked = {"programs": BAND, "drums": True, "bars": 5, "max_silent_bars": 1, "may_change_meter": False}
    grammar = BandGrammar(Constraints(**{**asked, **constraints}))  # type: ignore[arg-type]
    random, mask = np.random.default_rng(seed), make_mask()
    tokens: list[int] = []
    while len(tokens) < 3000 and not grammar.ended:
        grammar.allow(mask)
        assert mask.any(), [name_token(token) for token in tokens[-12:]]
        logits = np.where(mask, random.normal(size=VOCABULARY_SIZE) * random.choice((0.1, 3.0, 30.0)), -np.inf)
        tokens.append(int(logits.argmax()))
        grammar.advance(tokens[-1])
    assert grammar.ended
    return tokens, decode_piece(tokens)


@pytest.mark.parametrize("seed", range(12))
def test_instruments_keep_to_their_ranges_and_manners(seed: int) -> None:
    _, piece = play(seed)
    assert [track.program for track in piece.melodic] == list(BAND)
    for track in piece.melodic:
        low, high = find_range(track.program)
        assert all(low <= note.pitch <= high for note in track.notes)
        if plays_one_line(track.program):
            assert len({note.start for note in track.notes}) == len(track.notes)
    assert all(note.pitch in KIT for note in piece.tracks[-1].notes)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("most", [0, 2])
def test_no_part_is_silent_for_longer_than_is_allowed(seed: int, most: int) -> None:
    _, piece = play(seed, max_silent_bars=most)
    for track in piece.tracks:
        silent = longest = 0
        for notes in group_by_bar(piece, (track,)):
            silent = 0 if notes else silent + 1
            longest = max(longest, silent)
        assert longest <= most


@pytest.mark.parametrize("seed", range(6))
def test_drums_play_in_every_bar_where_others_may_be_silent_for_one(seed: int) -> None:
    _, piece = play(seed, max_silent_bars=1)
    assert all(group_by_bar(piece, piece.tracks[-1:]))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("key", [0, 9, 14, 23])
def test_a_piece_ends_with_everybody_on_a_held_triad_over_the_tonic(seed: int, key: int) -> None:
    _, piece = play(seed, ends=True, controls={"Key": key})
    last = piece.slice(len(piece.bars) - 1, len(piece.bars))
    tonic = key % 12
    triad = {tonic, (tonic + (4 if key < 12 else 3)) % 12, (tonic + 7) % 12}
    for track in last.melodic:
        assert track.notes and {note.start for note in track.notes} == {0}
        assert {note.pitch % 12 for note in track.notes} <= triad
        assert all(note.duration >= 0.6 * last.positions for note in track.notes)
    assert last.melodic[-1].notes[0].pitch % 12 == tonic
    assert min(note.pitch for track in last.melodic for note in track.notes) == last.melodic[-1].notes[0].pitch < 48
    assert last.tracks[-1].notes


@pytest.mark.parametrize("seed", range(6))
def test_what_a_band_plays_comes_back_from_its_notes(seed: int) -> None:
    tokens, piece = play(seed, ends=True, may_change_tempo=False)
    assert encode_piece(piece)[CONTROLS:] == tokens[CONTROLS:]


def test_drums_alone_end_with_a_stroke() -> None:
    _, piece = play(1, programs=(), ends=True, controls={"Key": 24, "Register": 13})
    assert piece.slice(4, 5).tracks[0].notes[0].start == 0

"""The grammar: whatever keeps to it is music, whoever chooses, and constraints are obeyed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.constraints import Constraints
from models.music.grammar import Grammar, make_mask
from models.music.sampling import MIN_TOKENS
from models.music.score import Bar, InstrumentTrack, Note, Piece
from models.music.tokenizer import decode_piece, encode_infill, encode_piece
from models.music.vocabulary import (
    BAR,
    EOS,
    METER,
    PITCH,
    POSITION,
    VOCABULARY_SIZE,
    name_token,
    split_token,
)
from tests.models.music.strategies import pieces


def random_walk(constraints: Constraints, seed: int, tokens: int = 400, prompt: tuple[int, ...] = ()) -> list[int]:
    """Tokens that the grammar allows, of random logits: what no model could do worse."""
    random, grammar, mask = np.random.default_rng(seed), Grammar(constraints), make_mask()
    sequence = list(prompt)
    for token in prompt:
        grammar.advance(token)
    grammar.start_sampling()
    while len(sequence) < tokens and not grammar.ended:
        grammar.allow(mask)
        assert mask.any(), [name_token(token) for token in sequence[-12:]]
        logits = np.where(mask, random.normal(size=VOCABULARY_SIZE) * random.choice((0.1, 3.0, 30.0)), -np.inf)
        sequence.append(int(logits.argmax()))
        grammar.advance(sequence[-1])
    return sequence


@pytest.mark.slow
@given(pieces(with_notes=True))
def test_what_the_tokenizer_writes_is_allowed(piece: Piece) -> None:
    grammar, mask = Grammar(Constraints(max_empty_bars=16)), make_mask()
    for token in encode_piece(piece):
        grammar.allow(mask)
        assert mask[token], name_token(token)
        grammar.advance(token)
    assert grammar.ended


@pytest.mark.slow
@given(pieces(with_notes=True), st.data())
def test_the_answer_of_an_infilling_is_allowed(piece: Piece, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(piece.bars) - 1))
    stop = data.draw(st.integers(first + 1, len(piece.bars)))
    prompt, answer = encode_infill(piece, first, stop)
    grammar, mask = Grammar(Constraints(max_empty_bars=16)), make_mask()
    for token in prompt:
        grammar.advance(token)
    grammar.start_sampling()
    for token in answer:
        if token == EOS.to_token() and not grammar.has_notes:
            return  # a piece of silence alone is not written
        grammar.allow(mask)
        assert mask[token], name_token(token)
        grammar.advance(token)


@pytest.mark.parametrize("seed", range(40))
def test_random_tokens_under_the_grammar_are_music_and_come_back(seed: int) -> None:
    tokens = random_walk(Constraints(), seed)
    piece = decode_piece(tokens)
    assert piece.note_count > 0
    assert any(track.notes for track in decode_piece(tokens).tracks)
    if tokens[-1] == EOS.to_token():
        again = encode_piece(piece)
        assert [t for t in again if t >= BAR.first] == [t for t in tokens if t >= BAR.first]


@pytest.mark.parametrize("seed", range(10))
def test_even_the_shortest_allowance_holds_a_note(seed: int) -> None:
    tokens = random_walk(Constraints(max_empty_bars=16), seed, tokens=MIN_TOKENS)
    assert decode_piece(tokens).note_count > 0


class _Stubborn:
    """Takes the first allowed of some tokens, else the last: the longest ways through the grammar."""

    def __init__(self, *wanted: int) -> None:
        self.wanted = wanted

    def __call__(self, allowed: np.ndarray) -> int:
        return next((token for token in self.wanted if allowed[token]), int(np.flatnonzero(allowed)[-1]))


@pytest.mark.parametrize(
    "choose",
    [
        _Stubborn(EOS.first, BAR.first),
        _Stubborn(BAR.first),
        _Stubborn(POSITION.first, PITCH.first),
        _Stubborn(*range(PITCH.first, PITCH.stop), *range(189, 205)),
        _Stubborn(*range(METER.first, METER.stop), *range(189, 205)),
        _Stubborn(),
    ],
)
@pytest.mark.parametrize("pitches", [None, (60,)])
def test_the_most_stubborn_choices_never_get_stuck(
    choose: Callable[[np.ndarray], int], pitches: tuple[int, ...] | None
) -> None:
    grammar, mask, tokens = Grammar(Constraints(pitches=pitches)), make_mask(), list[int]()
    while len(tokens) < 700 and not grammar.ended:
        grammar.allow(mask)
        tokens.append(choose(mask))
        grammar.advance(tokens[-1])
    assert decode_piece(tokens).note_count > 0


@pytest.mark.parametrize("seed", range(10))
def test_constraints_are_obeyed(seed: int) -> None:
    constraints = Constraints(
        bars=6,
        controls={"Key": 9, "Tempo": 33, "Meter": 8},
        programs=(0, 40),
        drums=True,
        pitches=(60, 62, 64, 67, 69),
        max_duration=24,
        may_change_meter=False,
        may_change_tempo=False,
        max_empty_bars=1,
    )
    tokens = random_walk(constraints, seed, tokens=8000)
    assert tokens[-1] == EOS.to_token()
    piece = decode_piece(tokens)
    assert piece.bars == (Bar(8, 33),) * 6
    assert [(track.program, track.is_drum) for track in piece.tracks] == [(0, False), (40, False), (0, True)]
    melodic = [note for track in piece.melodic for note in track.notes]
    assert {note.pitch for note in melodic} <= {60, 62, 64, 67, 69}
    assert max((note.duration for note in melodic), default=0) <= 24
    assert split_token(tokens[2])[1] == 9
    starts = piece.list_bar_starts()
    filled = {np.searchsorted(starts, n.start, side="right") - 1 for track in piece.tracks for n in track.notes}
    assert all({bar, bar + 1} & filled for bar in range(5))


@pytest.mark.parametrize("drums", [None, True])
def test_drums_alone_can_be_asked(drums: bool | None) -> None:
    piece = decode_piece(random_walk(Constraints(bars=2, programs=(), drums=drums), 0, tokens=4000))
    assert [track.is_drum for track in piece.tracks] == [True]
    assert piece.note_count > 0


@pytest.mark.parametrize("seed", range(10))
def test_an_infilling_writes_the_masked_bars_and_leaves_the_others(seed: int) -> None:
    notes = [Note(24 * i, 60 + i % 7, 72, 20) for i in range(24)]
    piece = Piece(
        (Bar(),) * 6, (InstrumentTrack.from_notes(0, False, notes), InstrumentTrack.from_notes(0, True, notes))
    )
    prompt, _ = encode_infill(piece, 2, 4)
    tokens = random_walk(Constraints(bars=1), seed, tokens=4000, prompt=tuple(prompt))
    written = decode_piece(tokens)
    assert tokens[-1] == EOS.to_token()
    assert len(written.bars) == 6
    assert [bar.meter for bar in written.bars[:2]] == [bar.meter for bar in piece.bars[:2]]
    assert written.slice(0, 2) == piece.slice(0, 2)
    after = written.list_bar_starts()[4]
    for old, new in zip(piece.tracks, written.tracks, strict=True):
        moved = [(n.start - after, n.pitch, n.duration, n.velocity) for n in new.notes if n.start >= after]
        assert moved == [(n.start - 4 * 96, n.pitch, n.duration, n.velocity) for n in old.notes if n.start >= 4 * 96]


@pytest.mark.parametrize("seed", range(5))
def test_a_continuation_keeps_what_is_there_and_adds_bars(seed: int) -> None:
    piece = Piece(
        (Bar(), Bar()), (InstrumentTrack.from_notes(7, False, [Note(0, 60, 96, 20), Note(120, 64, 300, 20)]),)
    )
    prompt = (*encode_piece(piece)[:-1], BAR.to_token())
    written = decode_piece(random_walk(Constraints(bars=3), seed, tokens=6000, prompt=prompt))
    assert len(written.bars) == 5
    assert written.slice(0, 2) == piece
    assert all(note.start >= 420 for note in written.tracks[0].notes if note.pitch == 64 and note.start > 120)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bars": 0}, "bars is 0"),
        ({"controls": {"Mood": 1}}, "controls has 'Mood'"),
        ({"controls": {"Key": 25}}, "Key is 25"),
        ({"programs": (128,)}, "programs is"),
        ({"programs": (), "drums": False}, "something to play"),
        ({"pitches": ()}, "pitches is"),
        ({"max_duration": 0}, "max_duration is 0"),
        ({"max_empty_bars": 17}, "max_empty_bars is 17"),
    ],
)
def test_impossible_constraints_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Constraints(**changes)

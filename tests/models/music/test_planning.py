"""Plans: forms that return, endings, typed chords, the context that a tracer makes of them, what was not met."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.chords import parse_chords
from models.music.contracts import MusicRequest
from models.music.musical_context import FEATURES, FIRST_ROWS, NEW, UNKNOWN, ContextTracer, PlannedBar
from models.music.obedience import list_unmet, measure_presence
from models.music.planning import draw_letters, draw_returns, measure_plan, plan_piece
from models.music.score import Bar, InstrumentTrack, Note, Piece
from models.music.tokenizer import encode_piece
from models.music.vocabulary import BAR, KEYS, POSITION, STYLES
from tests.models.music.strategies import pieces

NAMES = [name for name, _ in FEATURES]


def a_piece(*bars: tuple[int, ...], silent: bool = False) -> Piece:
    notes = [Note(96 * at + 24 * i, pitch, 24, 20) for at, bar in enumerate(bars) for i, pitch in enumerate(bar)]
    tracks = (InstrumentTrack.from_notes(73, False, notes), InstrumentTrack(33, False, ()))
    return Piece((Bar(),) * len(bars), tracks if silent else tracks[:1])


@given(st.integers(1, 130), st.sampled_from(STYLES), st.integers(0, 99))
def test_returns_go_back_and_never_to_what_is_not_there(bars: int, style: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    letters = draw_letters(bars, style, random)
    returns = draw_returns(bars, letters, style, random)
    assert len(returns) == bars
    for number, (reference, likeness) in enumerate(returns):
        assert (reference is None) == (likeness == NEW)
        assert reference is None or 0 <= reference < number


def test_a_new_piece_has_a_form_of_its_own_by_its_seed() -> None:
    plans = [plan_piece(32, "pop", seed, key=0) for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]
    returning = [bar.reference for bar in plans[0].bars if bar.reference is not None]
    assert len(returning) >= 10
    assert plans[0].bars[-1].chords == (0, 0) and plans[0].bars[-1].bars_to_go == 0
    assert plans[0].bars[-2].chords == (7, 7)
    for bar in plans[0].bars[:-2]:
        if bar.reference is not None and bar.reference % 4 == bar.number % 4:  # type: ignore[operator]
            assert bar.chords == plans[0].bars[bar.reference].chords


def test_a_piece_that_may_go_on_is_not_told_where_it_ends() -> None:
    plan = plan_piece(8, "pop", 1, key=0, ends=False)
    assert {bar.bars_to_go for bar in plan.bars} == {None}


def test_typed_chords_come_over_and_over() -> None:
    assert [KEYS[chord] for chord in parse_chords("Am F, C | G7/B")] == ["A minor", "F major", "C major", "G major"]
    assert [KEYS[chord] for chord in parse_chords("bbmaj7 F#m7b5 N")] == ["Bb major", "Gb minor", "none"]
    plan = plan_piece(6, "pop", 1, key=0, chords=parse_chords("Am F C G"))
    assert [bar.chords[0] for bar in plan.bars] == [21, 5, 0, 7, 21, 5]


@pytest.mark.parametrize("text", ["Am X C", "hello", "1 4 5"])
def test_what_is_no_chord_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=f'"{text.split()[0 if text != "Am X C" else 1]}" is not a chord'):
        MusicRequest(chords=text)


def test_what_is_there_is_measured_and_what_follows_is_planned() -> None:
    piece = a_piece((60, 62, 64, 65), (70, 71), (60, 62, 64, 65), silent=True)
    plan = plan_piece(11, "pop", 1, key=0, before=piece)
    assert [bar.reference for bar in plan.bars[:3]] == [None, None, 0]
    assert plan.bars[0].tracks == {0} and plan.bars[0].bars_to_go == 10
    assert all(bar.is_full for bar in plan.bars[3:])
    assert all(bar.reference is None or bar.reference >= 3 for bar in plan.bars[3:])
    longer = plan_piece(12, "pop", 1, key=0, before=a_piece(*[(60, 62)] * 8))
    assert [bar.reference for bar in longer.bars[8:11]] == [0, 1, 2]
    assert measure_plan(piece)[2].bars_to_go == 0


def test_wanted_bars_are_those_that_the_next_ones_return_to() -> None:
    plan = plan_piece(32, "pop", 3, key=None)
    wanted = plan.find_wanted(16, 24)
    assert wanted == sorted({bar.reference for bar in plan.bars[16:24] if bar.reference is not None} & set(range(16)))


@given(pieces(with_notes=True))
def test_a_tracer_finds_bars_and_onsets_where_they_are(piece: Piece) -> None:
    tracer, onsets = ContextTracer([PlannedBar(number=number) for number in range(len(piece.bars))]), set()
    for token in encode_piece(piece):
        _, time, reference_time = tracer.take(token)
        assert time == reference_time
        if POSITION.first <= token < POSITION.stop:
            onsets.add(time)
    assert onsets == {note.start / 6 for track in piece.tracks for note in track.notes}


def test_a_return_counts_when_its_bar_was_there() -> None:
    plan = [
        PlannedBar(number=4),
        PlannedBar(number=5, reference=4, likeness=2),
        PlannedBar(number=6, reference=1, likeness=2),
    ]
    tracer = ContextTracer(plan)
    index = NAMES.index("likeness")
    tracer.take(BAR.first)
    features, time, reference_time = tracer.take(BAR.first)
    assert features[index] == FIRST_ROWS[index] + 2 and time - reference_time == 16
    features, time, reference_time = tracer.take(BAR.first)
    assert features[index] == FIRST_ROWS[index] + UNKNOWN[index] and time == reference_time


def test_what_was_asked_and_is_not_there_is_said() -> None:
    piece = a_piece(*[(60, 64, 67)] * 5, silent=True)
    assert measure_presence(piece) == [1.0, 0.0]
    remarks = list_unmet(piece, MusicRequest(programs=(73, 33), key="Gb minor"))
    assert remarks == [
        "The electric bass plays in 0% of the bars; another seed may give more of that.",
        "The music sounds nearest to C major; Gb minor was asked for.",
    ]
    assert list_unmet(piece, MusicRequest(programs=(73,), key="C major")) == []

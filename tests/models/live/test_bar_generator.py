"""One bar after another: what the model is shown of the past, and bars that are given up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.live.bar_generator import (
    BarGenerator,
    GenerationCancelled,
    build_band_prompt,
    match_parts,
    transpose_to_key,
)
from models.live.controls import LiveControls
from models.music.vocabulary import PITCH_CLASSES

FAST = LiveControls(tempo=180.0, density=1.0, instruments=(0, 33), drums=True)


@pytest.mark.slow
def test_a_bar_that_is_no_longer_wanted_is_given_up(bar_generator: BarGenerator) -> None:
    asked: list[int] = []

    def is_wanted() -> bool:
        asked.append(len(asked))
        return len(asked) < 5

    with pytest.raises(GenerationCancelled):
        bar_generator.generate(0, [], FAST, 1, is_wanted=is_wanted)
    assert len(asked) == 5
    assert (
        bar_generator.generate(0, [], FAST, 1).notes
        == bar_generator.generate(0, [], FAST, 1, is_wanted=lambda: True).notes
    )


@settings(deadline=None, max_examples=60)
@given(
    pitch=st.integers(0, 127),
    tonics=st.tuples(st.sampled_from(PITCH_CLASSES), st.sampled_from(PITCH_CLASSES)),
    modes=st.tuples(st.sampled_from(("major", "minor")), st.sampled_from(("major", "minor"))),
)
def test_a_pitch_of_the_old_scale_comes_into_the_new(
    pitch: int, tonics: tuple[str, str], modes: tuple[str, str]
) -> None:
    scales = {"major": {0, 2, 4, 5, 7, 9, 11}, "minor": {0, 2, 3, 5, 7, 8, 10}}
    old, new = (LiveControls(tonic=t, mode=m) for t, m in zip(tonics, modes, strict=True))
    moved = transpose_to_key(pitch, old, new)
    assert 0 <= moved <= 127
    if (pitch - PITCH_CLASSES.index(old.tonic)) % 12 in scales[old.mode]:
        assert (moved - PITCH_CLASSES.index(new.tonic)) % 12 in scales[new.mode]
    if old == new:
        assert moved == pitch


def test_parts_go_to_the_same_instrument_or_to_one_that_is_free() -> None:
    assert match_parts((73, 0, 33), (0, 33)) == {1: 0, 2: 1}
    assert match_parts((73, 0), (40, 0)) == {0: 0, 1: 1}
    assert match_parts((0, 0), (0, 0)) == {0: 0, 1: 1}


def test_the_model_is_shown_the_past_as_the_present_wants_it(bar_generator: BarGenerator) -> None:
    bar = bar_generator.generate(0, [], FAST, 1)
    now = replace(FAST, instruments=(40, 43), tempo=90.0)
    piece = build_band_prompt([bar], now)
    assert [track.program for track in piece.tracks] == [40, 43]
    assert piece.note_count == len({(n.start, n.pitch, n.track) for n in bar.band})
    assert {each.tempo for each in piece.bars} == {now.bar.tempo}

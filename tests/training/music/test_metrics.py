"""Distributions over pieces and their distances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.score import Bar, InstrumentTrack, Note, Piece
from tests.models.music.variations import transpose
from training.music.metrics import (
    compute_kl_divergence,
    measure_note_lengths,
    measure_overlap,
    measure_pitch_classes,
    measure_polyphony,
    measure_simultaneity,
)


def scale() -> Piece:
    """C major in quarters over a held C."""
    tune = (Note(24 * i, 60 + step, 24, 20) for i, step in enumerate((0, 2, 4, 5, 7, 4, 2, 0)))
    held = InstrumentTrack.from_notes(0, False, [Note(0, 36, 192, 20)])
    drums = InstrumentTrack.from_notes(0, True, [Note(0, 36, 6, 20)])
    return Piece((Bar(), Bar()), (InstrumentTrack.from_notes(0, False, tune), held, drums))


def test_histograms_of_a_scale() -> None:
    assert measure_pitch_classes(scale()).tolist() == [3, 0, 2, 0, 2, 1, 0, 1, 0, 0, 0, 0]
    assert sorted(measure_note_lengths(scale())[measure_note_lengths(scale()) > 0]) == [1, 8]
    assert measure_polyphony(scale())[2] == 32 and measure_polyphony(scale()).sum() == 32


@given(st.integers(-11, 11))
def test_pitch_classes_do_not_depend_on_the_key(semitones: int) -> None:
    assert (
        measure_pitch_classes(transpose(scale(), semitones, 0, 0)).tolist() == measure_pitch_classes(scale()).tolist()
    )


def test_distances_of_equal_and_of_disjoint_distributions() -> None:
    p, q = measure_simultaneity([np.array([1.0, 1, 0, 0])]), measure_simultaneity([np.array([0.0, 0, 3, 1])])
    assert measure_overlap(p, p) == 1 and measure_overlap(p, q) == 0
    assert compute_kl_divergence(p, p) == pytest.approx(0) and 5 < compute_kl_divergence(p, q) < 15

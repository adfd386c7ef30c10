"""Distributions over pieces and their distances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.score import Bar, Note, Piece, Track
from training.music.ensemble import transposed
from training.music.metrics import kl_divergence, note_lengths, overlap, pitch_classes, polyphony, together


def scale() -> Piece:
    """C major in quarters over a held C."""
    tune = (Note(24 * i, 60 + step, 24, 20) for i, step in enumerate((0, 2, 4, 5, 7, 4, 2, 0)))
    held = Track.of(0, False, [Note(0, 36, 192, 20)])
    drums = Track.of(0, True, [Note(0, 36, 6, 20)])
    return Piece((Bar(), Bar()), (Track.of(0, False, tune), held, drums))


def test_histograms_of_a_scale() -> None:
    assert pitch_classes(scale()).tolist() == [3, 0, 2, 0, 2, 1, 0, 1, 0, 0, 0, 0]
    assert sorted(note_lengths(scale())[note_lengths(scale()) > 0]) == [1, 8]
    assert polyphony(scale())[2] == 32 and polyphony(scale()).sum() == 32


@given(st.integers(-11, 11))
def test_pitch_classes_do_not_depend_on_the_key(semitones: int) -> None:
    assert pitch_classes(transposed(scale(), semitones, 0, 0)).tolist() == pitch_classes(scale()).tolist()


def test_distances_of_equal_and_of_disjoint_distributions() -> None:
    p, q = together([np.array([1.0, 1, 0, 0])]), together([np.array([0.0, 0, 3, 1])])
    assert overlap(p, p) == 1 and overlap(p, q) == 0
    assert kl_divergence(p, p) == pytest.approx(0) and 5 < kl_divergence(p, q) < 15

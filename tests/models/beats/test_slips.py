"""Slips: stretches that were followed between the beats are laid on the grid of the rest, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.beats.detector import decode_track
from models.beats.network import FRAME_RATE
from models.beats.slips import LEAST_BEATS, fit_grid, mend_slips

Floats = NDArray[np.float64]
LENGTH_S = 60.0


def make_activation(*lines: tuple[Floats, float], length_s: float = LENGTH_S) -> Floats:
    """Make peaks of a height at some times over a low floor, (T,)."""
    activation = np.full(round(length_s * FRAME_RATE), 0.02)
    frames = np.arange(len(activation)) / FRAME_RATE
    for times_s, height in lines:
        for time_s in times_s:
            activation = np.maximum(activation, height * np.exp(-(((frames - time_s) * FRAME_RATE / 1.2) ** 2)))
    return activation


def make_slipping(bpm: float) -> tuple[Floats, Floats, Floats]:
    """Make beats, the same with a stretch followed between them, and activations that lead there."""
    beats = np.arange(0.7, LENGTH_S - 1, 60 / bpm)
    between = beats + 30 / bpm
    inside = (beats > 20) & (beats < 34)
    heights = make_activation((beats[~inside], 0.9), (beats[inside], 0.25), (between[inside], 0.95))
    return beats, np.concatenate([beats[beats < 20], between[inside], beats[beats >= 34]]), heights


@pytest.mark.parametrize("bpm", [95, 120, 150])
def test_a_slipped_stretch_is_laid_on_the_beats_of_the_rest(bpm: int) -> None:
    beats, slipped, activation = make_slipping(bpm)
    mended = mend_slips(activation, FRAME_RATE, slipped)
    assert len(mended) == pytest.approx(len(beats), abs=1)
    inner = beats[(beats > 5) & (beats < LENGTH_S - 5)]
    assert np.abs(mended[None] - inner[:, None]).min(axis=1).max() < 0.02


def test_the_detector_follows_one_half_of_the_grid_to_the_end() -> None:
    beats, slipped, activation = make_slipping(120)
    followed = decode_track(np.stack([activation, np.zeros_like(activation)], axis=1).astype(np.float32)).times_s
    inner = beats[(beats > 5) & (beats < LENGTH_S - 5)]
    assert np.abs(followed[None] - inner[:, None]).min(axis=1).max() < 0.06
    assert np.abs(followed[None] - slipped[(slipped > 24) & (slipped < 30)][:, None]).min() > 0.2


@settings(max_examples=30, deadline=None)
@given(st.floats(60, 180), st.floats(0, 1), st.integers(0, 9))
def test_beats_that_are_on_one_grid_stay_the_same(bpm: float, first: float, seed: int) -> None:
    beats = np.arange(first, LENGTH_S, 60 / bpm)
    beats = np.sort(beats + np.random.default_rng(seed).normal(0, 0.008, len(beats)))
    assert mend_slips(make_activation((beats, 0.9)), FRAME_RATE, beats) is beats


def test_a_drifting_tempo_stays() -> None:
    beats = np.cumsum(0.5 * (1 + 0.04 * np.sin(np.arange(110) / 9)))
    assert mend_slips(make_activation((beats, 0.9)), FRAME_RATE, beats) is beats


def test_half_a_beat_too_many_stays_where_nothing_sounds_on_the_grid() -> None:
    _, slipped, _ = make_slipping(120)
    assert mend_slips(make_activation((slipped, 0.9)), FRAME_RATE, slipped) is slipped


def test_few_beats_tell_nothing() -> None:
    _, slipped, activation = make_slipping(120)
    few = slipped[: LEAST_BEATS - 1]
    assert mend_slips(activation, FRAME_RATE, few) is few
    assert len(mend_slips(activation, FRAME_RATE, np.zeros(0))) == 0


@pytest.mark.parametrize("bpm", [63.0, 94.3, 190.0])
def test_the_grid_is_that_of_the_beats(bpm: float) -> None:
    beats = np.arange(0.31, 100, 60 / bpm)
    beat_s, line_s, fit = fit_grid(beats)
    assert beat_s == pytest.approx(60 / bpm, rel=2e-4) and fit > 0.98
    assert (line_s - 0.31) / (beat_s / 2) == pytest.approx(round((line_s - 0.31) / (beat_s / 2)), abs=0.1)

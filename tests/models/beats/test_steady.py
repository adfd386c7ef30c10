"""What is told of a tracker's beats: a steady song keeps to its grid, any other is passed on."""

from __future__ import annotations

import numpy as np
import pytest

from models.beats.decoding import DECODE_RATE
from models.beats.steady import SteadyBeats

BEAT_S = 0.5


def tell(followed: np.ndarray, strong: np.ndarray, length_s: float, weak: np.ndarray | None = None) -> np.ndarray:
    """Return what is told of beats that were followed, over activations that are strong and weak at some times."""
    activations = np.full(round(length_s * DECODE_RATE), 0.02)
    for times, height in ((strong, 0.8), (np.zeros(0) if weak is None else weak, 0.5)):
        activations[np.round(times * DECODE_RATE).astype(int)] = height
    steady, told = SteadyBeats(), list[float]()
    begun = {round(time_s * DECODE_RATE): float(time_s) for time_s in followed}
    for frame, activation in enumerate(activations):
        for time_s in steady.push(float(activation), begun.get(frame)):
            assert time_s <= frame / DECODE_RATE + 0.01, "nothing is told before it sounds"
            told.append(time_s)
    return np.array(told)


def count_beats(first_s: float, last_s: float) -> np.ndarray:
    return np.arange(first_s, last_s, BEAT_S)


def test_a_slip_of_half_a_beat_is_not_followed() -> None:
    beats = count_beats(1.0, 40.0)
    slipped = np.where((beats > 20) & (beats < 30), beats + BEAT_S / 2, beats)
    told = tell(slipped, beats, 41.0, weak=beats + BEAT_S / 2)
    told = told[told < beats[-1] + 0.1]  # the grid goes on for two beats
    assert np.abs(told[:, None] - beats[None]).min(axis=1).max() < 0.03
    assert np.abs(told[:, None] - beats[None]).min(axis=0).max() < 0.03 and len(told) == len(beats)


def test_beats_that_the_tracker_misses_are_told_when_they_are_due() -> None:
    beats = count_beats(1.0, 40.0)
    followed = np.concatenate([beats[beats < 20], beats[beats >= 20][::2]])  # it falls to half the tempo
    told = tell(followed, beats, 41.0)
    assert len(told) == pytest.approx(len(beats), abs=1) and np.diff(told).max() < 1.1 * BEAT_S


def test_a_tempo_that_moves_is_passed_on() -> None:
    beats = 1.0 + np.cumsum(np.linspace(0.35, 0.9, 60))
    np.testing.assert_array_equal(tell(beats, beats, float(beats[-1]) + 1), beats)


def test_where_the_tracker_falls_silent_nothing_is_told() -> None:
    beats = count_beats(1.0, 20.0)
    assert tell(beats, beats, 40.0)[-1] < 20.0 + 2 * BEAT_S


def test_the_other_half_is_believed_where_it_is_clearly_stronger(monkeypatch: pytest.MonkeyPatch) -> None:
    beats = count_beats(1.0, 120.0)
    first = beats[beats < 12] + BEAT_S / 2  # a guitar between the beats comes first
    told = tell(np.concatenate([first, beats[beats > 13]]), beats[beats > 13], 121.0, weak=first)
    late = told[(told > 70) & (told < beats[-1] + 0.1)]
    assert len(late) > 90 and np.abs(late[:, None] - beats[None]).min(axis=1).max() < 0.03


def test_memory_does_not_grow_with_the_music() -> None:
    steady = SteadyBeats()
    size = len(steady.activations)
    for frame in range(3 * steady.length):
        steady.push(0.1, frame / DECODE_RATE if frame % 50 == 0 else None)
    assert len(steady.activations) == size and len(steady.followed) <= 91
    assert steady.activations[steady.kept - 1] == 0.1 and steady.frame == 3 * steady.length

"""Sentences come out even: as loud as one another, without peaks, clicks and waiting."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.books import levelling

RATE = 22_050


def _voice(level: float, seconds: float = 2.0, before_s: float = 0.0, after_s: float = 0.0) -> NDArray[np.float32]:
    at = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * 140 * n * at) / n for n in range(1, 12)) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * at))
    sound = np.pad(level * wave / np.abs(wave).max(), (round(before_s * RATE), round(after_s * RATE)))
    return sound.astype(np.float32)


@pytest.mark.parametrize("level", [0.01, 0.1, 0.99])
@pytest.mark.parametrize("seconds", [0.25, 0.6, 3.0])
def test_loud_and_quiet_sentences_become_equally_loud(level: float, seconds: float) -> None:
    made, _ = levelling.finish_sentence(_voice(level, seconds), RATE)
    assert levelling.measure_loudness(made, RATE) == pytest.approx(levelling.TARGET_LUFS, abs=0.5)


def test_a_peak_gives_way_and_the_rest_stays() -> None:
    sound = _voice(0.05, 3.0)
    sound[30_000:30_040] *= 18.0
    made, _ = levelling.finish_sentence(sound, RATE)
    ceiling = 10 ** (levelling.CEILING_DB / 20)
    assert float(levelling.true_peaks(made).max()) <= ceiling * 1.02
    plain, _ = levelling.finish_sentence(_voice(0.05, 3.0), RATE)
    ratio = np.abs(made[40_000:60_000]).max() / np.abs(plain[40_000:60_000]).max()
    assert 0.85 < ratio < 1.15


def test_true_peaks_lie_between_samples() -> None:
    at = np.arange(4_000)
    sound = np.sin(2 * np.pi * at / 4 + np.pi / 4).astype(np.float32)  # every sample at 0.707 of the wave's height
    assert float(levelling.true_peaks(sound)[100:-100].max()) == pytest.approx(1.0, abs=0.02)


def test_silence_around_a_sentence_is_cut_and_told() -> None:
    made, cut_s = levelling.finish_sentence(_voice(0.2, 1.0, 0.5, 0.8), RATE)
    assert cut_s == pytest.approx(0.47, abs=0.02)
    assert len(made) / RATE == pytest.approx(1.06, abs=0.03)


def test_a_sentence_begins_and_ends_at_nothing_without_a_step() -> None:
    made, _ = levelling.finish_sentence(np.full(RATE, 0.3, np.float32) + _voice(0.2, 1.0), RATE)
    steps = np.abs(np.diff(np.concatenate([[0.0], made, [0.0]])))
    assert made[0] == 0.0 and abs(float(made[-1])) < 1e-6
    assert steps[:20].max() < 0.01 and steps[-20:].max() < 0.01


@pytest.mark.parametrize(
    "sound", [np.zeros(0, np.float32), np.zeros(5_000, np.float32), np.full(9, np.nan, np.float32)]
)
def test_nothing_stays_nothing(sound: NDArray[np.float32]) -> None:
    made, _ = levelling.finish_sentence(sound, RATE)
    assert made.size == 0

"""Music features: curves that follow the sound, and sections."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from models.beats import detector as beats_module
from models.beats import mel
from models.beats.network import BEAT_MEL, FRAME_RATE
from models.music_video import features

RATE = BEAT_MEL.sample_rate


def two_part_song() -> tuple[np.ndarray, np.ndarray]:
    """40 s of low soft tone, then 40 s of bright loud noise, then the tone again; beats twice a second."""
    rng = np.random.default_rng(0)
    time_s = np.arange(40 * RATE) / RATE
    low = 0.05 * np.sin(2 * np.pi * 110 * time_s) + 0.001 * rng.standard_normal(len(time_s))
    bright = 0.4 * rng.standard_normal(len(time_s))
    return np.concatenate([low, bright, low]).astype(np.float32), np.arange(0.25, 120, 0.5)


def test_sections_and_curves_of_a_song_in_three_parts() -> None:
    sound, beats = two_part_song()
    heard = features.measure(sound, RATE, beats, beats[::4])
    bounds = [section.start_s for section in heard.sections] + [heard.sections[-1].end_s]
    assert bounds[0] == 0
    assert bounds[-1] == 120
    assert [section.label for section in heard.sections] == ["A", "B", "A"]
    assert abs(bounds[1] - 40) < 2.1
    assert abs(bounds[2] - 80) < 2.1
    frames = 1 + len(sound) // BEAT_MEL.hop_length
    for curve in (heard.loudness, heard.percussion, heard.bass, heard.brightness):
        assert curve.shape == (frames,)
        assert curve.min() >= 0
        assert curve.max() <= 1
    quiet, loud = slice(5 * FRAME_RATE, 35 * FRAME_RATE), slice(45 * FRAME_RATE, 75 * FRAME_RATE)
    assert heard.loudness[loud].mean() > heard.loudness[quiet].mean() + 0.2
    assert heard.brightness[loud].mean() > heard.brightness[quiet].mean() + 0.3


def test_a_drum_is_percussion() -> None:
    sound = np.zeros(4 * RATE, dtype=np.float32)
    rng = np.random.default_rng(0)
    for start in (RATE, 2 * RATE, 3 * RATE):
        sound[start : start + 800] = rng.standard_normal(800) * np.exp(-np.arange(800) / 200)
    curve = features.measure(sound, RATE, np.zeros(0), np.zeros(0)).percussion
    for second in (1, 2, 3):
        assert curve[second * FRAME_RATE - 3 : second * FRAME_RATE + 4].max() > 0.5
    assert curve[int(1.5 * FRAME_RATE) : int(1.9 * FRAME_RATE)].max() < 0.2


def test_silence_is_flat_and_one_section() -> None:
    heard = features.measure(np.zeros(3 * RATE, dtype=np.float32), RATE, np.zeros(0), np.zeros(0))
    assert heard.loudness.max() == 0
    assert heard.percussion.max() == 0
    assert heard.brightness.max() == 0
    assert len(heard.sections) == 1


def test_blocks_are_the_same_as_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = np.random.default_rng(0).standard_normal(5 * RATE + 123).astype(np.float32)
    reach = BEAT_MEL.n_fft // 2
    whole = mel.compute_mel(torch.from_numpy(np.pad(sound, reach))).numpy()
    beats = np.arange(0.3, 5, 0.5)
    curves = features.measure(sound, RATE, beats, beats[::4])
    np.testing.assert_allclose(mel.compute_whole_mel(sound), whole, atol=1e-4)
    monkeypatch.setattr(features, "BLOCK_S", 0.7)
    monkeypatch.setattr(mel, "BLOCK_FRAMES", 30)
    frames = mel.allocate_mel(len(sound))
    *_, filled = mel.fill_mel(frames, np.split(sound, [1, 700, 50_000, 50_001]))
    assert filled == len(frames) == len(whole)
    np.testing.assert_allclose(frames, whole, atol=1e-4)
    again = features.measure(sound, RATE, beats, beats[::4])
    for name in ("loudness", "percussion", "bass", "brightness"):
        np.testing.assert_allclose(getattr(again, name), getattr(curves, name), atol=1e-4)


def test_no_more_than_a_block_of_frames_is_in_work_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    compute_mel = beats_module.compute_mel

    def watch(samples: Any) -> Any:
        seen.append(len(samples))
        return compute_mel(samples)

    monkeypatch.setattr(mel, "compute_mel", watch)
    mel.compute_whole_mel(np.zeros(60 * RATE, np.float32))
    assert max(seen) <= mel.BLOCK_FRAMES * BEAT_MEL.hop_length + BEAT_MEL.n_fft < 11 * RATE


def test_novelty_is_that_of_the_checkerboard_on_the_whole_matrix() -> None:
    """Foote 2000 as it is written: every pair of beats, and the board along the diagonal."""
    rows = np.random.default_rng(0).standard_normal((90, 12)) + np.repeat(np.eye(3, 12) * 3, 30, axis=0)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    half = 16
    places = np.arange(-half, half) + 0.5
    taper = np.sign(places) * np.exp(-0.5 * (places / (0.4 * half)) ** 2)
    padded = np.pad(unit @ unit.T, half, mode="edge")
    wanted = np.array([(padded[i : i + 32, i : i + 32] * np.outer(taper, taper)).sum() for i in range(90)])
    np.testing.assert_allclose(features.compute_novelty(rows, half), wanted / wanted.max(), atol=1e-6)


def test_band_centres_are_those_of_the_filterbank() -> None:
    from models.audio import mel_filterbank

    bank = mel_filterbank(BEAT_MEL).numpy()
    hz = np.linspace(0, BEAT_MEL.sample_rate / 2, len(bank))
    peaks = hz[bank.argmax(axis=0)]
    centres = features._compute_band_centres_hz()
    wide = centres > 500
    np.testing.assert_allclose(peaks[wide], centres[wide], atol=12)

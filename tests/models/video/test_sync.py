"""The synchronisation network, the checker around it, and the recipe."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.video.scenes import draw_spec, render
from models.video.sound_synthesis import EVENT_SOUNDS, add_sound
from models.video.sound_synthesis import RATE as EVENT_RATE
from models.video.sync import (
    SOUND_RATE,
    SYNC_WEIGHTS,
    SyncChecker,
    bend_time,
    compute_mel,
    load_sync,
    refine_peak,
    shrink_frames,
)
from models.video.sync_network import SyncConfig, SyncNetwork
from training.video import sync as recipe
from training.video.sync_data import RATE

CONFIG = SyncConfig.debug()


def checker() -> SyncChecker:
    torch.manual_seed(0)
    return SyncChecker(SyncNetwork(CONFIG))


def clip(frames: int = 24) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frames, 20, 28, 3)).astype(np.uint8)


def clicks(seconds: float, rate: int, moments: tuple[float, ...]) -> np.ndarray:
    sound = np.zeros((round(seconds * rate), 2), np.float32)
    for moment in moments:
        sound[round(moment * rate) :][:20] = 0.5
    return sound


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.5, 0.5), st.sampled_from([8_000, 22_050, 44_100]))
def test_bending_without_moments_is_a_plain_shift(offset_s: float, rate: int) -> None:
    sound = np.random.default_rng(0).normal(size=(rate, 2)).astype(np.float32)
    moved, shift = bend_time(sound, rate, offset_s, np.zeros(0), np.zeros(0)), round(offset_s * rate)
    assert moved.shape == sound.shape
    if shift >= 0:
        assert np.array_equal(moved[: rate - shift], sound[shift:])
        assert not moved[rate - shift :].any()
    else:
        assert np.array_equal(moved[-shift:], sound[:shift])
        assert not moved[:-shift].any()


def test_bending_moves_single_events_and_stays_gentle() -> None:
    rate = 8_000
    sound = clicks(3.0, rate, (0.54, 1.0, 2.46))
    moved = bend_time(sound, rate, 0.0, np.array([0.5, 1.0, 2.5]), np.array([0.04, 0.0, -0.04]))
    onsets = np.flatnonzero((moved[1:, 0] > 0.1) & (moved[:-1, 0] <= 0.1)) / rate
    assert np.abs(onsets - (0.5, 1.0, 2.5)).max() < 0.02
    wild = bend_time(sound, rate, 0.0, np.array([1.0, 1.1]), np.array([5.0, -5.0]))
    assert np.isfinite(wild).all()


def test_a_finer_place_lies_between_bins() -> None:
    places = np.arange(97)
    for true in (3.0, 48.3, 90.7):
        assert abs(refine_peak(-0.5 * ((places - true) / 1.2) ** 2) - true) < 0.15


def test_frames_of_any_rate_become_24_a_second() -> None:
    frames = np.arange(8, dtype=np.uint8)[:, None, None, None].repeat(20, 1).repeat(28, 2).repeat(3, 3) * 20
    for rate, count in ((8.0, 24), (24.0, 8), (60.0, 3)):
        assert shrink_frames(frames, rate, 16).shape == (count, 3, 16, 16)
    slow = shrink_frames(frames, 8.0, 16).mean(dim=(1, 2, 3))
    assert torch.equal(slow[0], slow[2])
    assert slow[3] > slow[2]


def test_a_report_of_any_clip_is_sound() -> None:
    model = checker()
    for frames, rate in ((24, 24.0), (9, 10.0), (160, 30.0)):
        sound = clicks(frames / rate, 16_000, (0.3, 0.6))
        report = model.check(clip(frames), rate, sound[:, 0], 16_000)
        assert -0.5 <= report.offset_s <= 0.5
        assert 0 <= report.confidence <= 1
        assert report.probabilities.sum() == pytest.approx(1, abs=1e-3)
        assert report.offsets_s.shape == report.probabilities.shape
        assert report.attention.ndim == 2
        moved, again = model.align(clip(frames), rate, sound, 16_000)
        assert moved.shape == sound.shape
        assert again.offset_s == pytest.approx(report.offset_s, abs=0.02)
    untouched, _ = model.align(clip(), 24.0, clicks(1, 16_000, (0.3,)), 16_000, least_confidence=1.1)
    assert np.array_equal(untouched, clicks(1, 16_000, (0.3,)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ball", "lightning", "lighthouse"])
def test_the_shipped_network_finds_and_mends_what_is_late_or_early(kind: str) -> None:
    model = load_sync(recipe.WEIGHTS_FOLDER / SYNC_WEIGHTS)
    rng = np.random.default_rng([99, 1])
    scene = render(draw_spec(rng, kind), 96, 64, RATE)
    for late_s in (0.3, -0.2):
        sound = np.zeros((4 * EVENT_RATE, 2), np.float32)
        for event in scene.events:
            add_sound(sound, round((event.time_s + late_s) * EVENT_RATE), EVENT_SOUNDS[event.kind](rng), event.x, 0.4)
        moved, report = model.align(scene.frames, RATE, sound, EVENT_RATE)
        assert report.offset_s == pytest.approx(late_s, abs=1 / RATE)
        assert report.confidence > 0.5
        assert abs(model.check(scene.frames, RATE, moved, EVENT_RATE).offset_s) < 0.02


@pytest.mark.parametrize(
    ("frames", "rate", "sound", "sound_rate", "says"),
    [
        (clip(3), 24.0, clicks(1, 8000, (0.1,)), 8000, "shorter"),
        (clip(), 0.0, clicks(1, 8000, (0.1,)), 8000, "frames_per_second"),
        (clip(), 24.0, np.zeros((8000, 2), np.float32), 8000, "no sound"),
        (clip(), 24.0, np.zeros((0, 2), np.float32), 8000, "no sound"),
        (clip(), 24.0, np.full((8000, 2), np.nan, np.float32), 8000, "not numbers"),
        (clip(), 24.0, np.zeros((8000, 2), np.int16), 8000, "floating point"),
        (clip(), 24.0, clicks(1, 8000, (0.1,)), 10, "sample_rate"),
        (clip()[:, :, :, 0], 24.0, clicks(1, 8000, (0.1,)), 8000, "frames are"),
    ],
)
def test_bad_input_is_answered_with_a_sentence(
    frames: np.ndarray, rate: float, sound: np.ndarray, sound_rate: int, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        checker().check(frames, rate, sound, sound_rate)


def test_mel_frames_are_cut_or_continued() -> None:
    sound = torch.from_numpy(clicks(1.0, SOUND_RATE, (0.5,)).T.copy())[None]
    assert compute_mel(sound, 8, 96).shape == compute_mel(sound[:, :, :9000], 8, 96).shape == (1, 96, 16)
    loudest = int(compute_mel(sound, 8, 96)[0].mean(dim=1).argmax())
    assert abs(loudest - 48) <= 1

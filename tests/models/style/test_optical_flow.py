"""Motion between frames, and warping along it."""

from __future__ import annotations

import numpy as np
import pytest

from models.style import optical_flow
from training.style_picture.patterns import draw_pattern


def test_motion_is_found_and_undone() -> None:
    before = draw_pattern("wash", 1, 96)
    after = np.roll(before, 3, axis=1)
    offsets = optical_flow.estimate_motion(before, after)
    assert np.median(offsets[:, 10:-10, 0]) == pytest.approx(-3, abs=0.2)
    inner = np.abs(optical_flow.warp(before, offsets).astype(int) - after)[8:-8, 12:-12]
    assert inner.mean() < 2
    assert optical_flow.estimate_trust(before, after, offsets)[20:-20, 20:-20].mean() > 0.9
    assert optical_flow.estimate_trust(before, 255 - after, offsets).mean() < 0.4


def test_noise_does_not_move_and_a_shift_does() -> None:
    rng = np.random.default_rng(1)
    still = draw_pattern("wash", 3, 96).astype(int) // 4
    first, second = ((still + rng.normal(0, 2, still.shape)).clip(0, 255).astype(np.uint8) for _ in "ab")
    moved = optical_flow.prefer_stillness(first, second, optical_flow.estimate_motion(first, second))
    assert np.abs(moved).mean() < 0.02
    picture = draw_pattern("strokes", 3, 96)
    shifted = np.roll(picture, 3, axis=1)
    moved = optical_flow.prefer_stillness(picture, shifted, optical_flow.estimate_motion(picture, shifted))
    assert abs(float(np.median(moved[20:-20, 20:-20, 0])) + 3) < 0.3


def test_small_changes_are_left_out_and_large_ones_come_through() -> None:
    last = np.full((8, 8, 3), 0.5, np.float32)
    offsets, certain = np.zeros((8, 8, 2), np.float32), np.ones((8, 8, 1), np.float32)
    small, large = (optical_flow.blend(last + gap, last, offsets, certain, 0.7) - last for gap in (1 / 255, 0.4))
    assert 0 <= small.max() < 0.2 * 0.1 / 255 and large.min() > 0.03
    unsteady = optical_flow.blend(last + 1 / 255, last, offsets, certain, 0.0)
    np.testing.assert_allclose(unsteady, last + 1 / 255, atol=1e-4)

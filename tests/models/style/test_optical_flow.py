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

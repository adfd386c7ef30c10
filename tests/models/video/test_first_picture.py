"""The detail of a given first picture, carried along."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.video.first_picture import carry_detail


def make_pictures(count: int, step: int) -> NDArray[np.uint8]:
    """Return smooth noise that slides to the left, with fine detail on it."""
    rng = np.random.default_rng(0)
    wide = cv2.GaussianBlur(rng.integers(0, 256, (64, 64 + count * step, 3)).astype(np.uint8), (0, 0), 1.2)
    wide = np.clip((wide.astype(np.float32) - 128) * 2 + 128, 0, 255).astype(np.uint8)
    return np.stack([wide[:, at * step : at * step + 64] for at in range(count)])


def test_detail_moves_with_the_picture() -> None:
    sharp = make_pictures(4, 2)
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in sharp])
    made = carry_detail(blurred, sharp[0])
    np.testing.assert_array_equal(made[0], sharp[0])
    inner = np.s_[1:, 8:-8, 8:-16]

    def miss(frames: NDArray[np.uint8]) -> float:
        return float(np.abs(frames[inner].astype(float) - sharp[inner]).mean())

    assert miss(made) < 0.6 * miss(blurred)


def test_what_the_picture_does_not_show_stays_as_it_was() -> None:
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    made = carry_detail(frames, np.full((64, 64, 3), 90, np.uint8))
    assert (made[0] == 90).all()
    assert np.abs(made[1].astype(int) - frames[1]).mean() < 8


def test_no_frames_stay_none_and_other_sizes_are_refused() -> None:
    frames = np.zeros((0, 16, 16, 3), np.uint8)
    assert carry_detail(frames, np.zeros((16, 16, 3), np.uint8)).shape == frames.shape
    with pytest.raises(ValueError, match="picture"):
        carry_detail(np.zeros((1, 16, 16, 3), np.uint8), np.zeros((8, 8, 3), np.uint8))

"""A given first picture: the camera over it, and its detail in the frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.video.first_picture import carry_detail, move_picture
from models.video.scene_spec import CAMERAS


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    """Return smooth noise with some detail."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.0), np.uint8)


@pytest.mark.parametrize("camera", CAMERAS)
def test_the_camera_begins_with_the_picture_and_moves_as_it_is_called(picture: NDArray[np.uint8], camera: str) -> None:
    frames = move_picture(picture, 16, camera)
    assert frames.shape == (16, 64, 64, 3)
    np.testing.assert_array_equal(frames[0], picture)
    assert (frames[15] == picture).all() == (camera == "still")
    if camera.startswith("pan"):
        push = round(64 * 0.08)
        seen = frames[15][:, 12:52], picture[:, 12 - push : 52 - push], picture[:, 12 + push : 52 + push]
        to_left, to_right = (np.abs(seen[0].astype(float) - each).mean() for each in seen[1:])
        assert (to_left < to_right) == (camera == "pan left")


def test_detail_comes_back_where_the_frames_still_show_the_picture(picture: NDArray[np.uint8]) -> None:
    moved = move_picture(picture, 4, "pan right")
    drawn = np.stack([cv2.GaussianBlur(frame, (0, 0), 2.0) for frame in moved])
    drawn[3, :, :32] = 250  # here it has become something else
    made = carry_detail(drawn, moved)
    np.testing.assert_array_equal(made[0], moved[0])

    def miss(frames: NDArray[np.uint8], part: slice) -> float:
        return float(np.abs(frames[3, :, part].astype(float) - moved[3, :, part]).mean())

    assert miss(made, slice(40, 64)) < 0.3 * miss(drawn, slice(40, 64))
    assert miss(made, slice(0, 24)) > 0.5 * miss(drawn, slice(0, 24))


def test_no_frames_stay_none_and_other_sizes_are_refused() -> None:
    frames = np.zeros((0, 16, 16, 3), np.uint8)
    assert carry_detail(frames, frames).shape == frames.shape
    with pytest.raises(ValueError, match="moved"):
        carry_detail(np.zeros((1, 16, 16, 3), np.uint8), np.zeros((1, 8, 8, 3), np.uint8))

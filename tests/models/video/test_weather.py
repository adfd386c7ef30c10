"""Rain, snow and night by rule."""

from __future__ import annotations

import numpy as np
import pytest

from models.video.ground import draw_floor
from models.video.staging import PLACE_SETTINGS
from models.video.weather import NIGHT_LIGHT, darken_night, let_fall


@pytest.mark.parametrize("weather", ["rain", "snow"])
def test_what_falls_moves_down_and_comes_round_in_a_loop(weather: str) -> None:
    images = [np.full((96, 128, 3), 0.3, np.float32) for _ in range(4)]
    for image, time_s in zip(images, (0.0, 0.1, 2.0, 0.0), strict=True):
        let_fall(image, weather, time_s, 5, 2.0)
    assert np.abs(images[0] - images[1]).max() > 0.1
    np.testing.assert_allclose(images[0], images[2], atol=0.02)
    np.testing.assert_array_equal(images[0], images[3])


def test_nights_are_dark_and_dark_ones_stay() -> None:
    bright = np.random.default_rng(0).integers(60, 200, (3, 32, 48, 3), np.uint8)
    night = darken_night(bright)
    assert night.shape == bright.shape and night.mean() / 255 < NIGHT_LIGHT + 0.03
    assert night[..., 2].mean() > night[..., 0].mean()
    dark = np.full((3, 8, 8, 3), 20, np.uint8)
    np.testing.assert_array_equal(darken_night(dark), dark)


@pytest.mark.parametrize("place", ["beach", "street", "moon", "room"])
@pytest.mark.parametrize("columns", [56, 96, 170])
def test_grounds_are_of_any_shape_and_leave_the_scene_to_be_seen(place: str, columns: int) -> None:
    floor = draw_floor(PLACE_SETTINGS[place], 96, columns, 3)
    assert floor is not None and floor.shape == (96, columns, 4)
    assert floor.min() >= 0 and floor.max() <= 1
    assert floor[-1, :, 3].min() == 1 and 0.05 < (floor[..., 3] == 0).mean() < 0.9

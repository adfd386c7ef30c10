"""Skin: none where nobody is, a hue that stays near its own, and light that stays as it was painted."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

from models.style import skin
from models.style.skin import bound_hue, find_skin

FACE = (206, 160, 134)


def fill(colour: tuple[int, int, int]) -> np.ndarray:
    return np.full((24, 24, 3), colour, np.uint8)


def test_skin_is_what_looks_so_of_people_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = fill(FACE)
    frame[:, 12:] = (40, 60, 200)
    assert not find_skin(frame).any()  # nobody is there
    monkeypatch.setattr(skin, "find_people", lambda frame: np.ones((*frame.shape[:2], 1), np.float32))
    found = find_skin(frame)
    assert found.shape == (24, 24, 1) and found[:, :9].min() > 0.8 and found[:, 15:].max() < 0.1


@pytest.mark.parametrize("painted", [(0.3, 0.7, 0.2), (0.2, 0.3, 0.9), (0.8, 0.2, 0.8)])
def test_painted_skin_has_about_its_own_hue_and_the_light_that_was_painted(painted: tuple[float, float, float]) -> None:
    painting = np.broadcast_to(np.array(painted, np.float32), (24, 24, 3)).copy()
    everywhere = np.ones((24, 24, 1), np.float32)
    made = bound_hue(painting, fill(FACE), everywhere)
    light = np.array([0.299, 0.587, 0.114])
    assert np.allclose(made @ light, painting @ light, atol=1e-3)
    hue = colorsys.rgb_to_hsv(*(float(value) for value in made[0, 0].clip(0, 1)))[0]
    own = colorsys.rgb_to_hsv(*(value / 255 for value in FACE))[0]
    assert min(abs(hue - own), 1 - abs(hue - own)) < 0.1
    assert np.array_equal(bound_hue(painting, fill(FACE), 0 * everywhere), painting)


def test_skin_that_is_painted_near_its_hue_stays_as_it_is() -> None:
    painting = fill((230, 190, 150)).astype(np.float32) / np.float32(255.0)
    assert np.allclose(bound_hue(painting, fill(FACE), np.ones((24, 24, 1), np.float32)), painting, atol=1e-5)

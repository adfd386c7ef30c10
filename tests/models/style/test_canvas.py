"""The canvas: its size by the brush, and the way back to the picture's own size."""

from __future__ import annotations

import numpy as np
import pytest

from models.style.canvas import choose_canvas, enlarge_change, resize_pixels
from training.style_picture.patterns import draw_pattern


@pytest.mark.parametrize(
    ("size", "brush", "wanted"),
    [
        ((384, 216), 1.0, (384, 216)),
        ((1920, 1080), 1.0, (640, 360)),
        ((1920, 1080), 0.5, (1280, 720)),
        ((1920, 1080), 2.0, (320, 180)),
        ((384, 216), 0.5, (384, 216)),
        ((384, 216), 2.0, (192, 108)),
        ((1, 900), 1.0, (1, 640)),
    ],
)
def test_the_larger_the_brush_the_smaller_the_canvas(
    size: tuple[int, int], brush: float, wanted: tuple[int, int]
) -> None:
    assert choose_canvas(size, brush) == wanted


def test_nothing_painted_gives_the_source_at_its_size() -> None:
    source = draw_pattern("strokes", 2, 120)[:90]
    canvas = resize_pixels(source, (60, 45))
    assert canvas.shape == (45, 60, 3)
    made = canvas.astype(np.float32) / np.float32(255)
    assert np.abs(enlarge_change(made, canvas, source, 0.0).astype(int) - source).max() <= 1
    softer = enlarge_change(made, canvas, source, 1.0).astype(float)
    assert 0.2 < np.abs(softer - source).mean() < np.abs(enlarge_change(0 * made, canvas, source, 0.0) - softer).mean()


def test_a_change_of_the_canvas_is_there_in_the_result() -> None:
    source = np.full((80, 100, 3), 100, np.uint8)
    canvas = resize_pixels(source, (50, 40))
    made = np.full((40, 50, 3), 0.8, np.float32)
    assert (enlarge_change(made, canvas, source, 1.0) == 204).all()
    assert (enlarge_change(np.full((80, 100, 3), 0.8, np.float32), source, source, 1.0) == 204).all()

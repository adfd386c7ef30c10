"""Brushwork: strokes along the edges, the painting's colours, care where it is asked for, any size, the same bytes."""

from __future__ import annotations

import numpy as np
import pytest

from models.style.brushwork import Brushwork, FloatArray, extract_brushwork, find_directions, lay_brushwork
from training.style_picture.patterns import draw_pattern


def draw(kind: str, seed: int, size: int = 96) -> FloatArray:
    return draw_pattern(kind, seed, size).astype(np.float32) / np.float32(255.0)


def stripe(turn: float, height: int = 96, width: int = 96, period: float = 6.0) -> FloatArray:
    """Draw grey stripes that run in a direction."""
    rows, columns = np.mgrid[:height, :width]
    wave = np.sin(2 * np.pi * (rows * np.cos(turn) - columns * np.sin(turn)) / period)
    return np.repeat((0.5 + 0.25 * wave)[:, :, None], 3, axis=2).astype(np.float32)


def lay(painting: FloatArray, style: Brushwork, scale: float = 1.0, care: float = 0.0) -> FloatArray:
    return lay_brushwork(painting, ((style, 1.0),), scale, np.full((*painting.shape[:2], 1), care, np.float32))


@pytest.mark.parametrize("turn", [0.0, 0.7, np.pi / 2, 2.4])
def test_directions_are_those_of_the_stripes(turn: float) -> None:
    found = find_directions(stripe(turn), 3.0)[20:-20, 20:-20]
    assert np.abs(np.sin(found - turn)).max() < 0.1


@pytest.mark.parametrize("turn", [0.0, 0.8, np.pi / 2])
def test_strokes_run_along_the_edges_of_the_painting(turn: float) -> None:
    style = extract_brushwork(stripe(0.4))  # strokes of one direction, none of those that are asked for
    painting = stripe(turn, 160, 160, period=60.0)
    layer = lay(painting, style) - painting
    found = find_directions(layer, 4.0)[30:-30, 30:-30]
    assert np.median(np.abs(np.sin(found - turn))) < 0.2


def test_the_colours_of_the_painting_stay_and_so_do_the_bytes() -> None:
    style, painting = extract_brushwork(draw("strokes", 2)), draw("wash", 1, 128)
    once, again = lay(painting, style), lay(painting, style)
    assert once.tobytes() == again.tobytes() and once.dtype == np.float32
    assert np.allclose(once.mean(axis=(0, 1)), painting.mean(axis=(0, 1)), atol=1e-3)
    assert np.allclose(once.std(axis=(0, 1)), painting.std(axis=(0, 1)), atol=1e-3)
    assert np.abs(once - painting).mean() > 0.02


def test_care_keeps_the_drawing() -> None:
    style, painting = extract_brushwork(draw("tiles", 2)), draw("points", 1, 128)
    free, careful = (np.abs(lay(painting, style, care=care) - painting).mean() for care in (0.0, 1.0))
    assert careful < 0.6 * free


def test_a_larger_brush_makes_larger_strokes() -> None:
    style, painting = extract_brushwork(draw("strokes", 2)), draw("wash", 1, 192)

    def measure_fineness(scale: float) -> float:
        layer = lay(painting, style, scale) - painting
        return float(np.abs(np.diff(layer, axis=0)).mean() / np.abs(layer).mean())

    assert measure_fineness(2.5) < 0.7 * measure_fineness(1.0)


def test_a_style_that_counts_nothing_changes_nothing() -> None:
    first, second = (extract_brushwork(draw(kind, 2)) for kind in ("strokes", "tiles"))
    painting, care = draw("wash", 1, 128), np.zeros((128, 128, 1), np.float32)
    alone, with_none, mixed, other = (
        lay_brushwork(painting, styles, 1.0, care)
        for styles in (((first, 1.0),), ((first, 1.0), (second, 0.0)), ((first, 0.5), (second, 0.5)), ((second, 1.0),))
    )
    assert np.array_equal(alone, with_none)
    gaps = [float(np.abs(each - other).mean()) for each in (alone, mixed)]
    assert gaps[0] > gaps[1] > 0


@pytest.mark.parametrize("size", [(1, 1), (2, 90), (33, 17), (200, 40)])
@pytest.mark.parametrize("side", [32, 72])
def test_any_size_of_painting_and_style(size: tuple[int, int], side: int) -> None:
    painting = np.random.default_rng(0).random((*size, 3), dtype=np.float32)
    made = lay(painting, extract_brushwork(draw("tiles", 3, side)), 1.7)
    assert made.shape == painting.shape and np.isfinite(made).all()
    flat = np.full((*size, 3), 0.5, np.float32)
    assert np.isfinite(
        lay(flat, extract_brushwork(flat if min(size) > 31 else np.full((32, 32, 3), 0.5, np.float32)))
    ).all()

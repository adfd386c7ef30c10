"""Fractal gradient noise from tileable textures: made once, sampled with bilinear interpolation.

After Perlin 1985, "An Image Synthesizer", with the quintic fade of Perlin 2002. A texture spans TILE world units and
repeats; smaller copies of it (mip levels, Williams 1983) keep coarse pixels from flickering.

Letters: T frames, H rows, W columns.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

TILE = 4.0
TEXELS = 512
OCTAVES = 7
LEVELS = 4
TEXTURES = 4


def _make_octave(rng: np.random.Generator, cells: int) -> Array:
    """Make tileable gradient noise with `cells` lattice cells a side, float32 (TEXELS, TEXELS)."""
    angle = rng.uniform(0, 2 * np.pi, (cells, cells)).astype(np.float32)
    gradient = np.stack([np.cos(angle), np.sin(angle)])  # (2, cells, cells)
    place = np.arange(TEXELS, dtype=np.float32) * (cells / TEXELS)
    cell = place.astype(int)
    inside = place - cell
    fade = inside**3 * (inside * (inside * 6 - 15) + 10)

    def corner(row: int, column: int) -> Array:
        g = gradient[:, (cell + row)[:, None] % cells, (cell + column)[None, :] % cells]
        return g[0] * (inside[None, :] - column) + g[1] * (inside[:, None] - row)

    top = corner(0, 0) + fade[None, :] * (corner(0, 1) - corner(0, 0))
    bottom = corner(1, 0) + fade[None, :] * (corner(1, 1) - corner(1, 0))
    return top + fade[:, None] * (bottom - top)


@lru_cache(maxsize=TEXTURES)
def build_pyramid(index: int) -> tuple[Array, ...]:
    """Build the mip levels of texture `index`, finest first; in [0, 1], mean 0.5, deviation about 0.18."""
    rng = np.random.default_rng(1000 + index)
    texture = np.zeros((TEXELS, TEXELS), np.float32)
    for octave in range(OCTAVES):
        texture += 0.52**octave * _make_octave(rng, int(TILE) * 2**octave)
    texture = np.clip((texture - texture.mean()) * (0.18 / texture.std()) + 0.5, 0, 1)
    levels = [texture]
    for _ in range(LEVELS - 1):
        last = levels[-1]
        levels.append(last.reshape(len(last) // 2, 2, len(last) // 2, 2).mean(axis=(1, 3)))
    return tuple(np.ascontiguousarray(level, np.float32) for level in levels)


def _measure_step(values: Array, axis: int) -> float:
    """Measure the median distance between neighbours along an axis."""
    if values.shape[axis] < 2:
        return 0.0
    first = values[:1]
    return float(np.median(np.abs(np.diff(first, axis=axis))))


def sample_fbm(u: Array, v: Array, index: int = 0) -> Array:
    """Sample fractal noise at world places.

    Args:
        u, v: float32, broadcastable to (T, H, W); one unit is a period of the coarsest octave.
        index: which texture, 0 to TEXTURES - 1.

    Returns:
        float32 (T, H, W) in [0, 1].
    """
    texels_a_pixel = (
        max(_measure_step(u, -1), _measure_step(v, -2), _measure_step(v, -1), _measure_step(u, -2)) * TEXELS / TILE
    )
    level = int(np.clip(np.ceil(np.log2(max(texels_a_pixel, 1.0)) - 0.3), 0, LEVELS - 1))
    texture = build_pyramid(index % TEXTURES)[level]
    n = len(texture)
    u = np.asarray(u * np.float32(n / TILE), np.float32)
    v = np.asarray(v * np.float32(n / TILE), np.float32)
    column, row = np.floor(u), np.floor(v)
    fu, fv = u - column, v - row
    left = column.astype(np.int32) & (n - 1)
    top = row.astype(np.int32) & (n - 1)
    right, below = (left + 1) & (n - 1), ((top + 1) & (n - 1)) * n
    top = top * n
    flat = texture.ravel()
    a = flat.take(top + left)
    a += fu * (flat.take(top + right) - a)
    b = flat.take(below + left)
    b += fu * (flat.take(below + right) - b)
    b -= a
    b *= fv
    a += b
    return a

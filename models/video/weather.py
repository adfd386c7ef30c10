"""Rain and snow that fall by rule over a scene, and night where the model drew day.

Letters: F frames of R x S pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

NIGHT_LIGHT = 0.20  # mean lightness that a night has at most
NIGHT_CAST = np.array((0.72, 0.86, 1.22), np.float32)
RAIN_SHADE = 0.80
DROPS, FLAKES = 150, 110
FALLS_PER_S = {"rain": 1.6, "snow": 0.22}

Array = NDArray[np.floating[Any]]


def darken_night(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Darken frames uint8 (F, R, S, 3) to a night's light, lights less than the rest; dark ones stay."""
    weights = np.array((0.3, 0.59, 0.11), np.float32)
    mean = float(frames[:: max(1, len(frames) // 8)].reshape(-1, 3).mean(axis=0) @ weights) / 255
    if mean <= NIGHT_LIGHT:
        return frames
    share = NIGHT_LIGHT / mean
    levels = np.arange(256, dtype=np.float32)[:, None] / 255
    table = np.clip(levels ** (1 + 0.35 * (1 - share)) * share * NIGHT_CAST, 0, 1) * 255
    steps = np.round(table).astype(np.uint8)
    return np.stack([steps[:, channel][frames[..., channel]] for channel in range(3)], axis=-1)


def let_fall(image: Array, weather: str, time_s: float, seed: int, loop_s: float = 0.0) -> None:
    """Let rain or snow fall over an image float32 (R, S, 3) in [0, 1], in place; in a loop it falls whole ways."""
    import cv2

    rows, columns = image.shape[:2]
    rng = np.random.default_rng(seed + 311)
    count = round((DROPS if weather == "rain" else FLAKES) * max(1.0, columns / rows))
    x, y, near = rng.uniform(size=count), rng.uniform(size=count), rng.uniform(0.5, 1, size=count)
    ways = FALLS_PER_S[weather] * (0.6 + 0.7 * near)
    if loop_s:
        ways = np.maximum(1, np.round(ways * loop_s)) / loop_s
    down = (y + ways * time_s) % 1
    layer = np.zeros((rows, columns), np.float32)
    if weather == "rain":
        image *= RAIN_SHADE
        for across, at, size in zip((x + 0.06 * down) % 1, down, near, strict=True):
            begin = across * columns, at * rows * 1.1 - 0.05 * rows
            end = begin[0] - 0.012 * rows * size, begin[1] - 0.07 * rows * size
            points = [(round(each[0] * 8), round(each[1] * 8)) for each in (begin, end)]
            cv2.line(layer, points[0], points[1], float(0.34 * size), max(1, round(rows / 230)), cv2.LINE_AA, 3)
    else:
        sway = 0.02 * np.sin(2 * np.pi * (down + x))
        for across, at, size in zip((x + sway) % 1, down, near, strict=True):
            point = round(across * columns * 8), round(at * rows * 8)
            cv2.circle(layer, point, max(4, round(rows / 110 * size * 8)), float(0.9 * size), -1, cv2.LINE_AA, 3)
    soft = layer if weather == "rain" else np.asarray(cv2.GaussianBlur(layer, (0, 0), rows / 400), np.float32)
    image += (np.array((0.86, 0.90, 0.96), np.float32) - image) * np.clip(soft, 0, 1)[..., None]

"""Shapes of clips: rows and columns for an aspect, and frames that are cut to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.contracts import ASPECTS


def measure_shape(aspect: str, pixels: int) -> tuple[int, int]:
    """Return rows and columns, even numbers, of a shorter side of `pixels`."""
    across, down = ASPECTS[aspect]
    rows, columns = (2 * round(pixels * side / min(across, down) / 2) for side in (down, across))
    return rows, columns


def cut_to(frames: NDArray[np.uint8], aspect: str) -> NDArray[np.uint8]:
    """Cut the middle of an aspect out of frames uint8 (F, R, S, 3), as much of it as there is."""
    across, down = ASPECTS[aspect]
    rows, columns = frames.shape[1:3]
    high, wide = min(rows, columns * down // across), min(columns, rows * across // down)
    high, wide = high - high % 2, wide - wide % 2
    if abs(wide - columns) < 2 and abs(high - rows) < 2:
        return frames
    top, left = (rows - high) // 2, (columns - wide) // 2
    return np.ascontiguousarray(frames[:, top : top + high, left : left + wide])


def resize_frames(
    frames: NDArray[np.uint8], rows: int, columns: int, interpolation: int | None = None
) -> NDArray[np.uint8]:
    """Bring frames uint8 (F, R, S, 3) to (F, rows, columns, 3), by default with OpenCV's mean over areas."""
    import cv2

    how = cv2.INTER_AREA if interpolation is None else interpolation
    return np.stack([cv2.resize(frame, (columns, rows), interpolation=how) for frame in frames])


def fit_shorter_side(frames: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
    """Enlarge frames uint8 (F, R, S, 3) until the shorter side has `pixels`; larger ones stay as they are."""
    import cv2

    rows, columns = frames.shape[1:3]
    if not len(frames) or min(rows, columns) >= pixels:
        return frames
    scale = pixels / min(rows, columns)
    return resize_frames(frames, 2 * round(rows * scale / 2), 2 * round(columns * scale / 2), cv2.INTER_LANCZOS4)

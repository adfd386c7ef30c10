"""The canvas on which a picture is painted, and the way back to the picture's own size.

Strokes are as large as the network learned them, in pixels; so what is painted is bounded, and a larger brush paints a
smaller canvas. Letters: H and W height and width in pixels, h and w those of the canvas.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
FloatArray = NDArray[np.float32]

CANVAS_SIZE = 640  # longer side with a brush of size 1
FINE_DETAIL = 0.5  # of what is finer than the canvas, how much is left at strength 1


def choose_canvas(size: tuple[int, int], brush: float, longest: int = CANVAS_SIZE) -> tuple[int, int]:
    """Return width and height of the canvas for a result of a width and height; it is never larger than that.

    `longest` is its longer side with a brush of size 1, at most.
    """
    scale = min(1.0, min(max(size), longest) / brush / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def resize_pixels(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Bring uint8 (H, W, 3) to the size of a canvas, (w, h)."""
    import cv2

    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def enlarge_change(made: FloatArray, canvas: Pixels, source: Pixels, strength: float) -> Pixels:
    """Bring what was painted to the size of its source, uint8 (H, W, 3).

    What is finer than the canvas comes from the source, less of it the more is painted.

    Args:
        made: the painted canvas (h, w, 3) in [0, 1].
        canvas: the same unpainted.
        source: uint8 (H, W, 3).
    """
    import cv2

    if canvas.shape == source.shape:
        return np.asarray(np.round(made * 255.0), dtype=np.uint8)
    size = source.shape[1::-1]
    seen = cv2.resize(canvas.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    painted = cv2.resize(made * np.float32(255.0), size, interpolation=cv2.INTER_CUBIC)
    fine = (1.0 - (1.0 - FINE_DETAIL) * strength) * (source.astype(np.float32) - seen)
    return np.asarray(np.round(np.clip(painted + fine, 0.0, 255.0)), dtype=np.uint8)

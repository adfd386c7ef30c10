"""The finish of a painted picture: brushwork at its own size, faces that stay faces, and a mixture with the original.

Letters: H and W height and width in pixels, h and w those of the canvas.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.style.brushwork import DETAIL, Brushwork, lay_brushwork
from models.style.canvas import CANVAS_SIZE, FINE_DETAIL
from models.style.luminance import LUMA
from models.style.skin import bound_hue, find_skin

Pixels = NDArray[np.uint8]
FloatArray = NDArray[np.float32]

DRAWN = 0.6  # of the content's edges, how much is drawn over the brushwork
DRAWN_SKIN = 0.6  # of painted skin, how much is the content's own drawing in the style's colours
GROWTH = 0.75  # strokes grow with the picture, a little less than it


def finish_picture(
    made: FloatArray,
    base: FloatArray,
    canvas: Pixels,
    source: Pixels,
    styles: Sequence[tuple[Brushwork, float]],
    brush: float,
) -> Pixels:
    """Bring a painted canvas to the size of its source, and go over it with the brush of the styles.

    Args:
        made: the painted canvas, (h, w, 3) in [0, 1].
        base: the canvas in the colours of the style, but not painted, about [0, 1].
        canvas: the canvas itself, uint8 (h, w, 3).
        source: uint8 (H, W, 3).
        brush: how large strokes are, 1 as the style has them.

    Returns:
        uint8 (H, W, 3), painted at full strength.

    Raises:
        ModelError: the weight file that finds people is missing or damaged.
    """
    skin = find_skin(canvas)
    drawn = made + DRAWN_SKIN * skin * (base - made)
    care = resize_mask(skin, source.shape[1::-1])
    full = _enlarge(drawn, source)
    if care.any() and canvas.shape != source.shape:
        plain = source.astype(np.float32) / np.float32(255.0)
        full += FINE_DETAIL * care * (plain - _enlarge(canvas.astype(np.float32) / np.float32(255.0), source))
    full = full.clip(0.0, 1.0)
    scale = brush * max(1.0, max(source.shape[:2]) / CANVAS_SIZE) ** GROWTH
    edges = _enlarge(_find_edges(base, DETAIL * scale * canvas.shape[1] / source.shape[1]), source)
    finished = bound_hue(lay_brushwork(full, styles, scale, care) + DRAWN * edges, source, care)
    return np.asarray(np.round(255.0 * finished.clip(0.0, 1.0)), dtype=np.uint8)


def _find_edges(base: FloatArray, reach: float) -> FloatArray:
    """Find what is finer than a reach in pixels in a canvas (h, w, 3)."""
    import cv2

    return np.asarray(base - cv2.GaussianBlur(base, (0, 0), reach), dtype=np.float32)


def _enlarge(layer: FloatArray, source: Pixels) -> FloatArray:
    """Bring a layer (h, w, 3) to the size of a source."""
    import cv2

    return np.asarray(cv2.resize(layer, source.shape[1::-1], interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def mix_painting(source: Pixels, finished: Pixels, share: float | FloatArray, keep_colours: bool) -> Pixels:
    """Mix a source with the painting of it, both uint8 (H, W, 3); of the latter a share, or the shares (H, W, 1)."""
    plain, painted = (each.astype(np.float32) for each in (source, finished))
    if keep_colours:
        painted = (plain + (painted - plain) @ np.array(LUMA, np.float32)[:, None]).clip(0.0, 255.0)
    return np.asarray(np.round(plain + share * (painted - plain)), dtype=np.uint8)


def resize_mask(mask: FloatArray, size: tuple[int, ...]) -> FloatArray:
    """Bring a mask (h, w, 1) to a width and a height."""
    import cv2

    resized = cv2.resize(mask, (size[0], size[1]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized.reshape(size[1], size[0], 1), dtype=np.float32)

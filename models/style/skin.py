"""Skin of people in a picture: where it is, and colours that it may have in a painting.

Letters: H and W height and width in pixels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.style.luminance import LUMA
from models.style.people import find_people

Pixels = NDArray[np.uint8]
FloatArray = NDArray[np.float32]

RED, BLUE, REACH = 153.0, 108.0, 30.0  # where skin of all kinds lies in Cr and Cb of 255, and how far from there
SOFTNESS = 1 / 150  # of the longer side
MOST_HUE = math.radians(15)  # how far from its own hue skin is painted


def find_skin(frame: Pixels) -> FloatArray:
    """Tell where people's skin is in uint8 (H, W, 3): float32 (H, W, 1) from 0 to 1; all 0 where nobody is.

    Raises:
        ModelError: the weight file is missing or damaged.
    """
    import cv2

    people = find_people(frame)
    if not people.any():
        return people
    chroma = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2YCrCb)[:, :, 1:].astype(np.float32)
    near = (1 - np.abs(chroma - np.array([RED, BLUE], np.float32)) / REACH).clip(0, 1).prod(axis=2)
    soft = cv2.GaussianBlur((3 * near).clip(0, 1), (0, 0), max(0.5, SOFTNESS * max(frame.shape[:2])))
    return np.asarray(soft[:, :, None] * people, dtype=np.float32)


def bound_hue(painting: FloatArray, source: Pixels, skin: FloatArray) -> FloatArray:
    """Turn the hue of painted skin towards its own, where it is further away than `MOST_HUE`, and pale it so much.

    Args:
        painting: (H, W, 3) in [0, 1].
        source: uint8 (H, W, 3).
        skin: from `find_skin`, of this size.
    """
    if not skin.any():
        return painting
    light, painted = _split(painting)
    own = _split(source.astype(np.float32) / 255.0)[1]
    away = np.angle(painted * own.conj())
    beyond = np.maximum(np.abs(away) - MOST_HUE, 0.0)
    turned = painted * np.cos(beyond / 2) * np.exp(-1j * np.sign(away) * beyond)
    chroma = painted + skin[:, :, 0] * (turned - painted)
    red, blue = light + 1.402 * chroma.imag, light + 1.772 * chroma.real
    green = (light - LUMA[0] * red - LUMA[2] * blue) / LUMA[1]
    return np.asarray(np.stack([red, green, blue], axis=2), dtype=np.float32)


def _split(pixels: FloatArray) -> tuple[FloatArray, NDArray[Any]]:
    """Split (H, W, 3) into luminance after Rec. 601 and Cb + i Cr, (H, W) each."""
    light = pixels @ np.array(LUMA, np.float32)
    chroma = (pixels[:, :, 2] - light) / np.float32(1.772) + 1j * ((pixels[:, :, 0] - light) / np.float32(1.402))
    return light, chroma.astype(np.complex64)

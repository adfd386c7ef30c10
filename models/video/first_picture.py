"""A given first picture: the way of the camera over it, and its full sharpness in the frames that the model drew.

A clip that begins with a picture is not drawn from noise alone but from the picture under a slow camera, with much
noise (after Meng et al. 2022, "SDEdit"): so it stays the same picture. The model sees it at its own small size; the
picture itself under the same camera then gives the frames its detail wherever they have not become something else.

Letters: F frames, R x S pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.video.upscaler import check_frames

Pixels = NDArray[np.uint8]
TOLERANCE = 40.0  # of 255: how much a frame may differ from the moved picture at half the trust
COARSE = 1 / 40  # of the side: the deviation of the blur in which they are compared
ZOOM, PAN = 0.10, 0.08  # of the side, over 16 frames


def move_picture(picture: Pixels, frames: int, camera: str) -> Pixels:
    """Move a camera slowly over a picture uint8 (R, S, 3): uint8 (frames, R, S, 3), the picture itself first.

    Args:
        camera: one of CAMERAS; what comes into view beyond the edge is mirrored.
    """
    import cv2

    rows, columns = picture.shape[:2]
    made = np.empty((frames, rows, columns, 3), np.uint8)
    for at in range(frames):
        along = at / 15
        zoom = 1 + along * {"zoom in": ZOOM, "zoom out": -ZOOM / 2}.get(camera, 0.0)
        push = along * columns * {"pan left": PAN, "pan right": -PAN}.get(camera, 0.0)
        turn = np.array([[zoom, 0, (1 - zoom) * columns / 2 + push], [0, zoom, (1 - zoom) * rows / 2]], np.float32)
        made[at] = cv2.warpAffine(picture, turn, (columns, rows), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return made


def carry_detail(frames: Pixels, moved: Pixels) -> Pixels:
    """Give frames the detail of the picture that they began with, wherever they still show it.

    Args:
        frames: uint8 (F, R, S, 3), as the model drew and enlarged them.
        moved: uint8 (F, R, S, 3), the picture itself under the same camera.

    Returns:
        uint8 (F, R, S, 3), the picture first.

    Raises:
        ValueError: these are no frames, or not as many of the same size.
    """
    import cv2

    check_frames(frames)
    if moved.shape != frames.shape:
        raise ValueError(f"moved is {moved.shape}; it must be {frames.shape} as the frames are.")
    made, sigma = frames.copy(), max(0.5, COARSE * frames.shape[2])
    made[:1] = moved[:1]
    for at in range(1, len(frames)):
        missed = moved[at].astype(np.float32) - frames[at]
        gap = np.abs(cv2.GaussianBlur(missed, (0, 0), sigma)).max(axis=2, keepdims=True)
        made[at] = np.clip(np.round(frames[at] + np.exp2(-((gap / TOLERANCE) ** 2)) * missed), 0, 255)
    return made

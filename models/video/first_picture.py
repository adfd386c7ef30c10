"""A given first picture at its full sharpness: what the model lost of it is carried along with its motion.

The model sees a first picture at its own small size. The clip's first frame is replaced by the picture itself, and the
difference between the two is moved to the following frames along the optical flow, as far as the flow can be trusted.

Letters: F frames, R x S pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.style.optical_flow import warp
from models.video.interpolation import estimate_certainty, estimate_flows
from models.video.upscaler import check_frames

Pixels = NDArray[np.uint8]
TOLERANCE = 24.0  # of 255: how much a frame may differ from the carried first frame at half the trust


def carry_detail(frames: Pixels, picture: Pixels) -> Pixels:
    """Give frames the detail of the picture that they begin with.

    Args:
        frames: uint8 (F, R, S, 3), the first of which shows `picture` less sharply.
        picture: uint8 (R, S, 3).

    Returns:
        uint8 (F, R, S, 3), `picture` first.

    Raises:
        ValueError: these are no frames, or the picture has another size.
    """
    check_frames(frames)
    if picture.shape != frames.shape[1:]:
        raise ValueError(f"picture is {picture.shape}; it must be {frames.shape[1:]} as the frames are.")
    made = frames.copy()
    if not len(frames):
        return made
    first = frames[0].astype(np.float32)
    lost = picture.astype(np.float32) - first
    made[0] = picture
    for at in range(1, len(frames)):
        back, forward = estimate_flows(frames[at], frames[0])
        gap = np.abs(warp(first, back) - frames[at]).max(axis=2, keepdims=True)
        trust = estimate_certainty(back, forward, back) * np.exp2(-((gap / TOLERANCE) ** 2))
        made[at] = np.clip(np.round(frames[at] + trust * warp(lost, back)), 0, 255)
    return made

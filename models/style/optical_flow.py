"""Optical flow for styled clips: the last result is warped along the motion and blended into the next one.

The motion comes from OpenCV's dense inverse search (Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse
Search"). Where the carried frame of the source does not look like the new frame of the source, something was uncovered
or the motion is wrong, and the new result stands alone (the idea of Ruder et al. 2016, "Artistic style transfer for
videos", with a photometric check in place of a second flow).

Letters: H and W height and width in pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
FloatArray = NDArray[np.float32]

TOLERANCE = 12.0  # of 255: how much a carried pixel of the source may differ at half the trust
STILL_CARRY = 0.9  # the same share where nothing moves and nothing changes: only the codec's noise is left out
STILL_TRUST, STILL_OFFSET = 0.9, 0.25  # the least trust there, and about how many pixels of motion
STILL_EXCESS, STILL_LEVELS = 1.2, 0.5  # how much worse stillness may explain a frame than motion does, of 255
CALM = 5 / 255  # a change that is as likely noise as not
CUT_TRUST = 0.25  # below this mean trust the scene has changed


def estimate_motion(previous: Pixels, current: Pixels) -> FloatArray:
    """Estimate for every pixel of `current` where it was in `previous`: offsets in pixels, float32 (H, W, 2) as x, y.

    Args:
        previous, current: uint8 (H, W, 3); sides of at least 16 pixels, else nothing is said to move.
    """
    import cv2

    height, width = current.shape[:2]
    if min(height, width) < 16:
        return np.zeros((height, width, 2), np.float32)
    search = _estimate_flow(cv2)
    grey = [cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in (current, previous)]
    return np.asarray(search.calc(grey[0], grey[1], None), dtype=np.float32)


def warp(frame: NDArray[Any], offsets: FloatArray, is_sharp: bool = False) -> NDArray[Any]:
    """Move a frame (H, W, 3) along `offsets`, keeping its kind of numbers.

    Sharp is by cubic interpolation, which goes a little beyond the values that it is between.
    """
    import cv2

    height, width = offsets.shape[:2]
    columns = np.arange(width, dtype=np.float32)[None] + offsets[:, :, 0]
    rows = np.arange(height, dtype=np.float32)[:, None] + offsets[:, :, 1]
    how = cv2.INTER_CUBIC if is_sharp else cv2.INTER_LINEAR
    return np.asarray(cv2.remap(frame, columns, rows, how, borderMode=cv2.BORDER_REPLICATE))


def estimate_trust(previous: Pixels, current: Pixels, offsets: FloatArray) -> FloatArray:
    """Estimate how far the motion explains the new frame of the source, float32 (H, W, 1) in [0, 1].

    0 where the motion leads out of the picture.
    """
    height, width = offsets.shape[:2]
    columns = np.arange(width, dtype=np.float32)[None] + offsets[:, :, 0]
    rows = np.arange(height, dtype=np.float32)[:, None] + offsets[:, :, 1]
    inside = (columns >= -0.5) & (columns <= width - 0.5) & (rows >= -0.5) & (rows <= height - 0.5)
    certain = np.exp2(-((_measure_gap(previous, current, offsets) / TOLERANCE) ** 2)) * inside
    return certain[:, :, None].astype(np.float32)


def prefer_stillness(previous: Pixels, current: Pixels, offsets: FloatArray) -> FloatArray:
    """Return the motion without that which only explains noise: nothing moves where that explains a frame as well."""
    unmoved = np.zeros_like(offsets)
    gap, still = (_measure_gap(previous, current, each) for each in (offsets, unmoved))
    return np.where((still <= STILL_EXCESS * gap + STILL_LEVELS)[:, :, None], unmoved, offsets)


def find_motion(previous: Pixels, current: Pixels) -> tuple[FloatArray, FloatArray]:
    """Find the motion that is not noise, float32 (H, W, 2), and how far it explains `current`, (H, W, 1)."""
    offsets = prefer_stillness(previous, current, estimate_motion(previous, current))
    return offsets, estimate_trust(previous, current, offsets)


def _measure_gap(previous: Pixels, current: Pixels, offsets: FloatArray) -> FloatArray:
    """Measure how far the carried frame is from the new one around each pixel, (H, W), of 255."""
    import cv2

    red, green, blue = cv2.split(cv2.absdiff(warp(previous, offsets), np.ascontiguousarray(current)))
    return np.asarray(cv2.GaussianBlur(cv2.max(cv2.max(red, green), blue), (5, 5), 0), dtype=np.float32)


def blend(made: FloatArray, last: FloatArray, offsets: FloatArray, certain: FloatArray, carry: float) -> FloatArray:
    """Blend the carried last frame into the new one, float32 (H, W, 3) in [0, 1]; more where the clip stands still.

    Changes about as small as CALM are noise, and are left out where the motion is trusted. What is carried stays sharp
    by cubic interpolation. How far the result changes is not bounded by how far the source does: what was covered a
    moment ago would stay where it was.
    """
    still = np.clip((certain - STILL_TRUST) / (1 - STILL_TRUST), 0, 1)
    still *= np.exp2(-(offsets**2).sum(axis=2, keepdims=True) / STILL_OFFSET**2)
    most = max(carry, STILL_CARRY * min(1.0, 2 * carry))  # no steadiness asked, none given
    share = certain * (carry + still * (most - carry))
    carried = warp(last, offsets, is_sharp=True)
    change = made - carried
    noise = CALM * certain * min(1.0, 2 * carry)
    square = change * change
    step = (1 - share) * change * (square / (square + noise * noise + 1e-9))
    return np.asarray(np.clip(carried + step, 0.0, 1.0), dtype=np.float32)


def _estimate_flow(cv2: Any) -> Any:
    cv2.setNumThreads(1)  # its threads and torch's would wait for each other on a small machine
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

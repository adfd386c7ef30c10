"""Frame interpolation by optical flow: a clip of 8 frames a second becomes one of 24.

Motion is found in both directions by OpenCV's dense inverse search (Kroeger et al. 2016). For a moment t between two
frames, both are carried there along flows that are approximated from the two (Jiang et al. 2018, "Super SloMo",
equation 4) and mixed by how near they are in time and how far the two directions agree, so that what is hidden in one
frame comes from the other (section 3.2). Where neither explains the other the plain mixture of both frames remains.

Letters: F frames, R x S pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.style.optical_flow import warp
from models.video.upscaler import check_frames

Pixels = NDArray[np.uint8]
FloatArray = NDArray[np.float32]

MAX_FACTOR = 12
TOLERANCE = 14.0  # of 255: how much the two carried frames may differ at half the trust
AGREEMENT = 1.5  # pixels: how far a flow and the way back may miss each other at half the trust
SEARCH_SIDE = 128  # smaller frames are enlarged for the search, which works in patches of 8 pixels


def interpolate(frames: Pixels, factor: int = 3, loop: bool = False) -> Pixels:
    """Return `factor` times as many frames; every `factor`-th is one of the given.

    Args:
        frames: uint8 (F, R, S, 3).
        factor: 1 to MAX_FACTOR.
        loop: the last frame is followed by the first; else the last one is held.

    Returns:
        uint8 (F * factor, R, S, 3).

    Raises:
        ValueError: these are no frames, or a factor that there is not.
    """
    check_frames(frames)
    if isinstance(factor, bool) or not isinstance(factor, (int, np.integer)) or not 1 <= factor <= MAX_FACTOR:
        raise ValueError(f"factor is {factor!r}; it must be a whole number from 1 to {MAX_FACTOR}.")
    made = frames.repeat(factor, axis=0)
    pairs = len(frames) if loop else len(frames) - 1
    for at in range(pairs if factor > 1 else 0):
        first, second = frames[at], frames[(at + 1) % len(frames)]
        made[at * factor + 1 : (at + 1) * factor] = interpolate_pair(
            first, second, [step / factor for step in range(1, factor)]
        )
    return made


def interpolate_pair(first: Pixels, second: Pixels, moments: list[float]) -> Pixels:
    """Make frames at moments in (0, 1) between two frames uint8 (R, S, 3): uint8 (len(moments), R, S, 3)."""
    forward, backward = estimate_flows(first, second)
    a, b = first.astype(np.float32), second.astype(np.float32)
    made = np.empty((len(moments), *first.shape), np.uint8)
    for index, t in enumerate(moments):
        to_first = -(1 - t) * t * forward + t * t * backward
        to_second = (1 - t) ** 2 * forward - t * (1 - t) * backward
        from_first, from_second = warp(a, to_first), warp(b, to_second)
        seen_first, seen_second = (
            estimate_certainty(to_first, forward, backward),
            estimate_certainty(to_second, backward, forward),
        )
        near = (1 - t) * seen_first, t * seen_second
        mixed = (near[0] * from_first + near[1] * from_second) / np.maximum(near[0] + near[1], 1e-6)
        gap = np.abs(from_first - from_second).max(axis=2, keepdims=True)
        trust = np.exp2(-((gap / TOLERANCE) ** 2)) * np.maximum(seen_first, seen_second)
        plain = (1 - t) * a + t * b
        made[index] = np.clip(np.round(plain + trust * (mixed - plain)), 0, 255)
    return made


def estimate_flows(first: Pixels, second: Pixels) -> tuple[FloatArray, FloatArray]:
    """Estimate where the first frame's pixels lie in the second, and back: float32 (R, S, 2), x and y in pixels."""
    import cv2

    rows, columns = first.shape[:2]
    scale = max(1, -(-SEARCH_SIDE // min(rows, columns)))
    grey = [
        cv2.resize(
            cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY),
            (columns * scale, rows * scale),
            interpolation=cv2.INTER_CUBIC,
        )
        for frame in (first, second)
    ]
    search = _estimate_flow(cv2)
    found = []
    for source, target in (grey, grey[::-1]):
        flow = np.asarray(search.calc(source, target, None), np.float32)
        found.append(cv2.resize(flow, (columns, rows), interpolation=cv2.INTER_AREA) / np.float32(scale))
    return found[0], found[1]


def estimate_certainty(to_source: FloatArray, flow: FloatArray, back: FloatArray) -> FloatArray:
    """Estimate how far the source's flow and the way back agree at each pixel, float32 (R, S, 1) in [0, 1]."""
    missed = flow + warp(back, flow)
    error = np.square(missed).sum(axis=2, keepdims=True)
    agreed = np.exp2(-error / np.float32(AGREEMENT**2))
    return np.asarray(warp(agreed, to_source), np.float32).reshape(*agreed.shape)


def _estimate_flow(cv2: Any) -> Any:
    cv2.setNumThreads(1)  # its threads and torch's would wait for each other on a small machine
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

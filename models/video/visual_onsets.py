"""Onsets in a picture: moments at which something happens, found in the frames alone, without a network.

Two manners: light that appears (flashes, bursts, drops, streaks, beats), as the rise of brightness over a coarse grid
with its usual level taken away (the half-wave rectified flux of onset detection, Bello et al. 2005, section 3); and low
points of what moves (a ball that bounces), as the turning points of the moving part's height.

Letters: F frames, R x S pixels, G cells of the grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]
FloatArray = NDArray[np.float64]

GRID = 16
LEAST_GAP_S = 0.16
LEAST_RISE = 3.0  # of 255
TOP_CELLS = 20  # of GRID * GRID: where something new is brightest


@dataclass(frozen=True)
class Onset:
    """A moment of the picture.

    Attributes:
        strength: 0 to 1, the strongest of the clip is 1.
        x: -1 (left edge) to 1 (right edge).
    """

    time_s: float
    strength: float
    x: float


def reduce_luminance(frames: Frames) -> FloatArray:
    """Reduce frames to luminance on a grid, (F, GRID, GRID), 0 to 255."""
    import cv2

    grey = [cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in frames]
    small = [cv2.resize(each, (GRID, GRID), interpolation=cv2.INTER_AREA) for each in grey]
    return np.asarray(small, dtype=np.float64).reshape(-1, GRID, GRID)


def measure_motion(frames: Frames) -> FloatArray:
    """Measure how much each frame differs from the one before, (F,), of 255; the first as much as the second."""
    if len(frames) < 2:
        return np.zeros(len(frames))
    change = np.abs(np.diff(reduce_luminance(frames), axis=0)).mean(axis=(1, 2))
    return np.concatenate([change[:1], change])


def find_light(frames: Frames, frames_per_second: float) -> list[Onset]:
    """Find where light appears."""
    if len(frames) < 3:
        return []
    rise = np.maximum(np.diff(reduce_luminance(frames), axis=0), 0)  # (F - 1, G, G)
    cells = np.sort(rise.reshape(len(rise), -1), axis=1)[:, -TOP_CELLS:]
    novelty = cells.mean(axis=1)
    around = max(3, round(0.5 * frames_per_second) | 1)
    usual = np.array([np.median(novelty[max(0, at - around) : at + around + 1]) for at in range(len(novelty))])
    fresh = np.maximum(novelty - usual, 0)
    across = np.linspace(-1, 1, GRID)
    found = []
    for at in _find_peaks(fresh, frames_per_second, max(LEAST_RISE, 0.25 * float(fresh.max()))):
        x = float((rise[at].sum(axis=0) * across).sum() / max(float(rise[at].sum()), 1e-9))
        found.append(Onset((at + 0.5) / frames_per_second, float(fresh[at]), x))
    return _scale_strengths(found)


def find_low_points(frames: Frames, frames_per_second: float) -> list[Onset]:
    """Find where the moving part turns upwards."""
    if len(frames) < 5:
        return []
    grid = reduce_luminance(frames)
    moving = np.abs(grid - np.median(grid, axis=0))
    moving = np.where(moving > 0.35 * moving.max(axis=(1, 2), keepdims=True), moving, 0) + 1e-9
    down, across = np.linspace(-1, 1, GRID)[:, None], np.linspace(-1, 1, GRID)
    weight = moving.sum(axis=(1, 2))
    depth, x = (moving * down).sum(axis=(1, 2)) / weight, (moving * across).sum(axis=(1, 2)) / weight
    smooth = np.convolve(np.pad(depth, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")
    span = float(smooth.max() - smooth.min())
    if span < 0.15:
        return []
    found = []
    for at in _find_peaks(smooth - smooth.min(), frames_per_second, 0.6 * span):
        if 0 < at < len(smooth) - 1:
            before, here, after = smooth[at - 1 : at + 2]
            bend = before - 2 * here + after
            part = 0.5 * (before - after) / bend if bend < 0 else 0.0
            found.append(Onset((at + part) / frames_per_second, 1.0, float(x[at])))
    return found


def find_period(frames: Frames, frames_per_second: float) -> float:
    """Find the seconds after which the picture comes back, between 0.25 and 2 s; 0 where it does not."""
    grid = reduce_luminance(frames)
    lags = range(max(2, round(0.25 * frames_per_second)), min(len(grid) - 1, round(2 * frames_per_second)) + 1)
    if not lags or len(grid) < 4:
        return 0.0
    gaps = np.array([np.abs(grid[lag:] - grid[:-lag]).mean() for lag in lags])
    best = int(np.argmin(gaps))
    if gaps[best] > 0.35 * max(float(gaps.max()), 1e-9) or gaps.max() < 0.5:
        return 0.0
    return lags[best] / frames_per_second


def _find_peaks(curve: FloatArray, frames_per_second: float, least: float) -> list[int]:
    """Find local maxima above `least`, LEAST_GAP_S apart, the higher one first kept."""
    gap = max(1, round(LEAST_GAP_S * frames_per_second))
    kept: list[int] = []
    for at in np.argsort(-curve, kind="stable"):
        if curve[at] < least or curve[at] <= 0:
            break
        edge = curve[max(0, at - 1) : at + 2].max() > curve[at]
        if not edge and all(abs(int(at) - other) > gap for other in kept):
            kept.append(int(at))
    return sorted(kept)


def _scale_strengths(found: list[Onset]) -> list[Onset]:
    most = max((onset.strength for onset in found), default=1.0)
    return [Onset(onset.time_s, onset.strength / most, onset.x) for onset in found]

"""How strongly a painted shot is painted in each frame: more where the song is louder, and most on its accents.

Letters: T frames of the video, H and W height and width of a picture in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.beats.network import FRAME_RATE as CURVE_RATE
from models.music_video.contracts import FRAME_RATE, MusicVideoRequest, VisualEffects
from models.music_video.plan import MusicVideoPlan

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

REST, ENERGY, ACCENT = 0.4, 0.4, 0.35  # of the strength: always, where the song is loudest, and on a downbeat
SMOOTHED_S = 0.6  # standard deviation of what the loudness is smoothed by
QUIET, LOUD, LEAST_RANGE = 10.0, 95.0, 0.08  # percentiles of the loudness, and the least between them that counts
FADE_S = 0.3  # in which an accent fades to a third
ACCENTS_HEARD = 4  # of the last accents the strongest is seen


@dataclass(frozen=True, eq=False)
class PaintedPixels:
    """A picture uint8 (H, W, 3), or the frames of a clip, as it is and painted."""

    plain: Pixels
    painted: Pixels

    def mix(self, amount: float) -> Pixels:
        """Go from the picture as it is, at 0, to the painted one, at 1."""
        import cv2

        if amount <= 0:
            return self.plain
        if amount >= 1:
            return self.painted
        return np.asarray(cv2.addWeighted(self.plain, 1 - amount, self.painted, amount, 0), dtype=np.uint8)


def compute_amounts(request: MusicVideoRequest, plan: MusicVideoPlan) -> Floats:
    """Compute for each frame how much of the painting is seen, float64 (T,) in [0, strength]."""
    frames = np.arange(plan.frames)
    following = min(1.0, request.look.motion / VisualEffects.motion)
    amount = REST + ENERGY * _measure_energy(request, frames) + ACCENT * following * _trace_accents(plan, frames)
    return np.asarray(request.painting.strength * np.minimum(1.0, amount))


def _measure_energy(request: MusicVideoRequest, frames: NDArray[np.int64]) -> Floats:
    """Measure how loud the song is around each frame, in [0, 1] of its own range."""
    from scipy.ndimage import gaussian_filter1d

    curve = request.features.loudness.astype(np.float64)
    if not len(curve):
        return np.ones(len(frames))
    smooth = gaussian_filter1d(curve, SMOOTHED_S * CURVE_RATE, mode="nearest")
    low, high = np.percentile(smooth, (QUIET, LOUD))
    scaled = np.clip((smooth - low) / max(high - low, LEAST_RANGE), 0.0, 1.0)
    return np.interp(frames / FRAME_RATE, np.arange(len(curve)) / CURVE_RATE, scaled)


def _trace_accents(plan: MusicVideoPlan, frames: NDArray[np.int64]) -> Floats:
    """Trace how fresh and strong the last accents are at each frame, in [0, 1]."""
    found: Floats = np.zeros(len(frames))
    if not len(plan.accents):
        return found
    last = np.searchsorted(plan.accents, frames, side="right") - 1
    for back in range(ACCENTS_HEARD):
        number = last - back
        known = np.maximum(number, 0)
        age_s = (frames - plan.accents[known]) / FRAME_RATE
        seen: Any = np.where(number >= 0, plan.strengths[known] * np.exp(-age_s / FADE_S), 0.0)
        found = np.maximum(found, seen)
    return found

"""Fades from and to black: how bright a frame of a clip is, against the frames around it in the same scene.

A frame on its way from black would have the colours of the style as soon as there is anything to stretch: a bright
pattern made of nothing. So it is brought to the light of the scene that it fades into, painted as that, and brought
back. A scene that is dark all the time is no fade.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from models.media.clip_info import ClipInfo
from models.media.clip_reader import read_frames
from models.style.luminance import LUMA

Pixels = NDArray[np.uint8]

SIDE = 64  # longer side at which the light is measured
AHEAD_S, AHEAD_FRAMES = 3.0, 120  # how far a scene is looked ahead in, at most
NEAR = 3.0  # a black that is in the last of so many parts of that counts the less, the further it is
BRIGHTEST = 99.0  # percentile of the luminance that is a frame's light
BLACK = 0.06  # light of what is black
CUT = 0.12  # change of the light from one frame to the next that is a cut and no fade
STEP, DIP, FLAT_S = 0.004, 0.02, 0.4  # least change that goes on, most that goes back, and how long it may pause
MOST_LIFT = 16.0  # how many times as bright a frame is made at most


class FadeReader:
    """The light of the frames of a clip, told in order while a second reader looks ahead.

    Args:
        path, info: the clip.
        first: number of the frame that is asked for first.
    """

    def __init__(self, path: str, info: ClipInfo, first: int = 0) -> None:
        self._frames = read_frames(path, info, *info.fitted(SIDE))
        self._ahead = max(1, min(AHEAD_FRAMES, round(AHEAD_S * info.rate)))
        self._pause = max(1, round(FLAT_S * info.rate))
        self._lights: deque[float] = deque()  # of the frame asked for and those after it
        self._before: deque[float] = deque(maxlen=self._ahead)  # of the scene so far, the newest first
        self._is_rising = False  # from black
        for _ in range(first):
            next(self._frames, None)

    def close(self) -> None:
        """End the reading."""
        self._frames.close()  # type: ignore[attr-defined]

    def measure_next(self) -> float:
        """Return the light of the next frame as a share of what it fades to or from, 0 to 1; 1 where nothing fades."""
        while len(self._lights) <= self._ahead and (frame := next(self._frames, None)) is not None:
            self._lights.append(measure_light(frame))
        if not self._lights:
            return 1.0
        light = self._lights.popleft()
        if self._before and abs(light - self._before[0]) > CUT:
            self._before.clear()
            self._is_rising = False
        found = light
        top = self._climb(light, self._lights)
        self._is_rising = light < BLACK or (self._is_rising and top > light)
        if self._is_rising:
            found = top
        falls_from, black = self._climb(light, self._before), self._find_black(light)
        if falls_from > light and black is not None:
            share = min(1.0, NEAR * (1 - black / (self._ahead + 1)))
            found = max(found, light + share * (falls_from - light))
        self._before.appendleft(light)
        return min(1.0, light / max(found, BLACK))

    def _climb(self, light: float, others: Iterable[float]) -> float:
        """Return the light at the end of a rise that begins here and goes on through the others."""
        top, last, waited = light, light, 0
        for each in others:
            waited += 1
            if each > top + STEP:
                top, waited = each, 0
            if abs(each - last) > CUT or each < top - DIP or waited > self._pause:
                break
            last = each
        return top

    def _find_black(self, light: float) -> int | None:
        """Return how many frames from here a fall ends in black; None if it does not."""
        last = bottom = light
        for distance, each in enumerate(self._lights, 1):
            bottom = min(bottom, each)
            if abs(each - last) > CUT or each > bottom + DIP:
                return None
            if each < BLACK:
                return distance
            last = each
        return 0 if light < BLACK else None


def measure_light(frame: Pixels) -> float:
    """Measure how bright uint8 (H, W, 3) is, in [0, 1]."""
    return float(np.percentile(frame.astype(np.float32) @ np.array(LUMA, np.float32), BRIGHTEST)) / 255.0


def lift(pixels: Pixels, share: float) -> Pixels:
    """Bring a frame of a share of the light to all of it."""
    if share >= 1.0:
        return pixels
    times = np.float32(min(MOST_LIFT, 1 / max(share, 1e-6)))
    return np.asarray(np.round(np.minimum(times * pixels, 255.0)), dtype=np.uint8)


def lower(made: NDArray[np.float32], lifted: Pixels, source: Pixels, share: float) -> NDArray[np.float32]:
    """Bring what was made of a lifted frame back to the source's light, (H, W, 3) in [0, 1]; undo `lift`."""
    if share >= 1.0:
        return made
    lost = (source.astype(np.float32) - np.float32(share) * lifted) / 255.0  # lights that were cut off
    return np.asarray(np.clip(np.float32(share) * made + lost, 0.0, 1.0), dtype=np.float32)

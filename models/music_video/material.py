"""A person's own photos and clips: read once each, small, to know what they are and where their subjects are.

Letters: H and W height and width in pixels, h and w of a map of importance, n values of a curve.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.media.clip_info import ClipInfo, probe
from models.media.clip_reader import read_frames, read_stretch
from models.music_video.framing import LOOK_SIDE, MAP_SIDE, find_importance

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float64]

MOTION_RATE = 12  # looks a second at what moves in a clip
LONGEST_LOOK_S = 120.0  # of a clip; its liveliest stretch is looked for in here
MAPS_OF_A_CLIP = 8
DECODED_WHOLE_S = 20.0  # up to this length a clip is read from its beginning on, which is right for any file
SAME = 12.0  # mean difference of two small frames of one moment, out of 255
ORDERS = ("given", "name")


@dataclass(frozen=True, eq=False)
class OwnMedium:
    """A photo or a clip of a person's own.

    Attributes:
        info: what the file is.
        maps: float64 (h, w) of sum 1, how much each part counts: one of a photo, some of a clip, even in time.
        motion: float64 (n,), how much moves in a clip at MOTION_RATE, in [0, 1]; empty for a photo.
        can_seek: whether a clip gives the same pictures where it is read from the middle.
    """

    path: Path
    info: ClipInfo
    maps: tuple[Floats, ...]
    motion: Floats
    can_seek: bool = False

    @property
    def is_photo(self) -> bool:
        """Tell whether it does not move."""
        return self.info.is_picture

    @property
    def looked_s(self) -> float:
        """Return how much of a clip was looked at, in seconds."""
        return min(self.info.duration_s, LONGEST_LOOK_S)

    def find_importance(self, start_s: float = 0.0, end_s: float = 0.0) -> Floats:
        """Average the maps of a stretch of a clip, or return that of a photo."""
        if len(self.maps) == 1:
            return self.maps[0]
        times = (np.arange(len(self.maps)) + 0.5) / len(self.maps) * self.looked_s
        chosen = [each for each, at in zip(self.maps, times, strict=True) if start_s <= at <= end_s]
        chosen = chosen or [self.maps[int(np.abs(times - (start_s + end_s) / 2).argmin())]]
        return np.mean(chosen, axis=0)


def look_at(path: Path) -> OwnMedium:
    """Look at a photo or a clip.

    Raises:
        MediaError: names the file, and says why it cannot be read.
    """
    info = probe(path)
    size = _fit(info, LOOK_SIDE)
    if info.is_picture:
        picture = next(read_frames(path, info, *size))
        return OwnMedium(path, info, (find_importance(picture)[0],), np.zeros(0))
    length_s = min(info.duration_s, LONGEST_LOOK_S)
    count = max(1, round(length_s * MOTION_RATE))
    shown = {round((number + 0.5) / MAPS_OF_A_CLIP * count - 0.5) for number in range(MAPS_OF_A_CLIP)}
    maps, motion, before = [], np.zeros(count), None
    seen: dict[int, Pixels] = {}
    with closing(read_stretch(path, info, 0.0, count, Fraction(MOTION_RATE), size)) as frames:  # type: ignore[type-var]
        for number, frame in enumerate(frames):
            if number in shown:
                maps.append(find_importance(frame)[0])
                seen[number] = frame
            now = _shrink_grey(frame)
            motion[number] = float(np.abs(now - before).mean()) if before is not None else 0.0
            before = now
    motion = np.minimum(motion, 3 * np.median(motion) + 1e-9)  # a cut within a clip is no motion
    can_seek = length_s > DECODED_WHOLE_S and all(
        _is_same(path, info, number, seen[number]) for number in sorted(seen)[1::2]
    )
    return OwnMedium(path, info, tuple(maps), motion / max(float(motion.max()), 1e-9), can_seek)


def _is_same(path: Path, info: ClipInfo, number: int, expected: Pixels) -> bool:
    """Tell whether a frame at MOTION_RATE looks the same where the clip is read from there."""
    size, rate = (expected.shape[1], expected.shape[0]), Fraction(MOTION_RATE)
    frames = list(read_stretch(path, info, number / MOTION_RATE, 1, rate, size, can_seek=True))
    return float(np.abs(frames[0].astype(np.int16) - expected).mean()) < SAME


def _fit(info: ClipInfo, side: int) -> tuple[int, int]:
    """Return an even size of the same shape, `side` at most."""
    scale = min(1.0, side / max(info.width, info.height))
    return max(2, 2 * round(info.width * scale / 2)), max(2, 2 * round(info.height * scale / 2))


def _shrink_grey(frame: Pixels) -> NDArray[np.float32]:
    import cv2

    size = max(1, frame.shape[1] * MAP_SIDE // LOOK_SIDE), max(1, frame.shape[0] * MAP_SIDE // LOOK_SIDE)
    small: Any = cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    return np.asarray(small, dtype=np.float32)


def arrange(paths: Sequence[Path], order: str) -> tuple[Path, ...]:
    """Order files as they were given, or by name with 2 before 10.

    Raises:
        ValueError: the order is none of ORDERS.
    """
    if order not in ORDERS:
        raise ValueError(f"the order is {order!r}; it must be one of {', '.join(ORDERS)}.")
    return tuple(paths) if order == "given" else tuple(sorted(paths, key=_split_name))


def _split_name(path: Path) -> list[tuple[int, int, str]]:
    parts = re.findall(r"\d{1,18}|\D+", path.name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def find_liveliest(medium: OwnMedium, length_s: float, beats_s: Floats, used: Sequence[tuple[float, float]]) -> float:
    """Find where the stretch of a clip begins that moves most, and most on the beats.

    Args:
        length_s: of the stretch.
        beats_s: times of beats, from the beginning of the stretch.
        used: stretches that were shown already, from and to in seconds; these count less.

    Returns:
        Seconds from the beginning of the clip.
    """
    room = int((medium.looked_s - length_s) * MOTION_RATE)
    if room <= 0 or not len(medium.motion):
        return 0.0
    length = max(1, round(length_s * MOTION_RATE))
    fresh = medium.motion.copy()
    for start_s, end_s in used:
        fresh[round(start_s * MOTION_RATE) : round(end_s * MOTION_RATE)] *= 0.25
    sums = np.concatenate([[0.0], fresh.cumsum()])
    starts = np.arange(room + 1)
    ends = np.minimum(starts + length, len(fresh))
    score = (sums[ends] - sums[starts]) / length
    on_beat = np.round(beats_s[(beats_s >= 0) & (beats_s < length_s)] * MOTION_RATE).astype(int)
    if len(on_beat):
        places = np.minimum(starts[:, None] + on_beat[None], len(fresh) - 1)
        score = score + 0.5 * fresh[places].mean(axis=1)
    return float(starts[int(score.argmax())]) / MOTION_RATE

"""The file of one shot while it is written, and what is known of a video that is drawn shot by shot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.media.write import VideoWriter
from models.music_video.contracts import MusicVideoRequest

Pixels = NDArray[np.uint8]

QUALITY = 21  # of H.264
KEY_FRAMES_S = 5
PICTURE_WIDTH, CARD_WIDTH = 480, 192
REPORT_EVERY_S = 0.5


@dataclass(frozen=True)
class DrawnShots:
    """How much of a video there is: so many whole shots, and of the next so many frames."""

    whole: int
    part: int = 0


class ShotWriter:
    """Writes the frames of a shot, and keeps a small picture of its middle; use it in a `with`.

    Attributes:
        written: frames so far; picture: uint8 (h, CARD_WIDTH, 3), None before the middle.
    """

    def __init__(self, request: MusicVideoRequest, span: range, path: Path) -> None:
        self.written, self.picture = 0, None if span else np.zeros((1, 1, 3), np.uint8)
        self._frames = len(span)
        self._writer = open_writer(request, path)

    def __enter__(self) -> ShotWriter:
        self._writer.__enter__()
        return self

    def __exit__(self, *failure: Any) -> None:
        self._writer.__exit__(*failure)

    @property
    def is_whole(self) -> bool:
        """Tell whether all frames are written."""
        return self.written >= self._frames

    def write(self, frame: Pixels) -> None:
        """Append a frame, uint8 (H, W, 3)."""
        self._writer.write(frame)
        self.written += 1
        if self.written == 1 + self._frames // 2:
            self.picture = shrink(frame, CARD_WIDTH)


def open_writer(request: MusicVideoRequest, path: Path) -> VideoWriter:
    """Open an MP4 for the frames of a shot; one in five seconds stands for itself."""
    return VideoWriter(path, *request.frame_size, request.rate, QUALITY, key_frames=KEY_FRAMES_S * round(request.rate))


def shrink(picture: Pixels, width: int = PICTURE_WIDTH) -> Pixels:
    """Return a picture at most so wide."""
    import cv2

    width = min(width, picture.shape[1])
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    small: Any = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return small
